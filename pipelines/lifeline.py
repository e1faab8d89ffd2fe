"""Ends a process when the one that started it is gone, so that a killed run leaves nothing at work.

For the training worker and its children: `kill -9` of the run gives nobody a chance to stop them. What a
process does while it lives belongs elsewhere.
"""

import os
import threading
import time

POLL_SECONDS = 0.25


def end_with(parent: int) -> None:
    """End this process at once when it is no longer a child of `parent`.

    At once, without cleaning up: everything that is written appears whole or not at all, and the next
    run sweeps what lies about.

    Args:
        parent: process id of the starter, as the starter gives it: asking here would be too late if it
            is already gone.
    """

    def watch() -> None:
        # An orphan gets another parent. Asking is portable; PR_SET_PDEATHSIG is Linux's alone, and is
        # about the thread that started the child, which may end long before its process.
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
