"""Refuses every connection and name look-up that is not loopback, in this process.

Python imports a module of this name at start, so with this folder on PYTHONPATH the guard also stands in every
process that a test starts; `tests/conftest.py` imports it for the tests' own. Needs the standard library
only. A refusal is written down as well: code that takes it for a dead network must not hide it.
"""

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

RECORD = "LOOPBACK_ONLY_RECORD"  # variable that names the file of refusals


def _is_loopback(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def refuse_foreign(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: it sees what every library does, below the Python layer."""
    if event in {"socket.connect", "socket.sendto"}:
        made, address = arguments
        if made.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        host = address[0]
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        host = arguments[0]
    else:
        return
    if not _is_loopback(host):
        if RECORD in os.environ:
            with Path(os.environ[RECORD]).open("a") as record:
                record.write(f"{event} {host} by {sys.argv[:3]}\n")
        # Not an OSError, which would pass for a dead network; a class of its own could not be unpickled.
        raise RuntimeError(f"tests reach loopback only, and this one asked for {host!r}")


sys.addaudithook(refuse_foreign)
