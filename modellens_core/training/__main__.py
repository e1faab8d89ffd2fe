"""The command that trains one ranker: `python -m modellens_core.training`.

The same command serves a person, Dagster Pipes, and any cluster launcher. It parses arguments, prints
events, and turns errors into one line and an exit code; all work is in `run.py`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from modellens_core.errors import ModelLensError
from modellens_core.training.config import config_names, load_config, parse_override

Event = Mapping[str, Any]

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130

_EXAMPLES = """\
examples:
  # the shipped recipe on the new-datasets split
  python -m modellens_core.training --lake .modellens/quickstart/lake --protocol new_datasets --out runs/new

  # the paper's network, three epochs, to see that it runs
  python -m modellens_core.training --lake .modellens/quickstart/lake --protocol completion \\
      --config paper --set max_epochs=3 --out runs/paper

what it writes to --out:
  ranker.safetensors, ranker.json   the weights of the best epoch, and where they come from
  metrics.jsonl                     one line per epoch: losses, validation tau, seconds
  checkpoint/                       while it runs; start the same command again to go on after a stop

exit codes: 0 done; 2 something to put right (one line says what); 130 interrupted, can be resumed
"""


def main(argv: Sequence[str] | None = None, on_event: Callable[[Event], None] | None = None) -> int:
    """Train one ranker.

    Args:
        argv: command-line arguments; those of the process if None.
        on_event: told every event (`start`, `epoch`, `done`), beside what is printed.

    Returns:
        Exit code: 0, 2 for an error the user can put right, 130 when interrupted.
    """
    args = _parser().parse_args(argv)
    show = _print_json if args.json else _print_line

    def tell(event: Event) -> None:
        show(event)
        if on_event is not None:
            on_event(event)

    try:
        config = load_config(args.config, dict(parse_override(text) for text in args.set))
        # Imported late, with torch: --help and a mistyped key answer at once.
        import torch

        from modellens_core.training.run import train_protocol

        if args.threads is not None:
            torch.set_num_threads(args.threads)
        train_protocol(args.lake, args.protocol, args.seed, config, args.out, on_event=tell)
    except ModelLensError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - this is the command line
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print(  # noqa: T201
            "interrupted; start the same command again to go on after the last finished epoch",
            file=sys.stderr,
        )
        return EXIT_INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m modellens_core.training",
        description="Train one ranker on one frozen split, choosing the epoch on validation groups.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--lake", type=Path, required=True, help="lake folder with features/ and splits/")
    add("--protocol", required=True, help="split: completion, new_datasets or production")
    add("--out", type=Path, required=True, help="folder for the ranker")
    add("--seed", type=int, default=0, help="of initialisation, sampling and dropout (default 0)")
    add(
        "--config",
        default="default",
        help=f"recipe ({', '.join(config_names())}) or the path of a YAML file (default: default)",
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one key of the recipe, e.g. ranker.hidden=64; may be repeated",
    )
    add("--threads", type=int, help="CPU threads of torch (default: torch's own choice)")
    add("--json", action="store_true", help="print events as JSON lines")
    return parser


def _print_json(event: Event) -> None:
    print(json.dumps(event), flush=True)  # noqa: T201


def _print_line(event: Event) -> None:
    match event["event"]:
        case "start":
            text = (
                f"{event['protocol']} seed {event['seed']} ({event['config']}): {event['rows']:,} rows in "
                f"{event['groups']:,} groups, {event['steps_per_epoch']} steps per epoch"
            )
            if event["resumed_after_epoch"] is not None:
                text += f"; resumed after epoch {event['resumed_after_epoch']}"
        case "epoch":
            text = (
                f"epoch {event['epoch']:3d}  loss {event['loss']:.4f}  "
                f"validation tau {event['validation']:+.4f}  {event['seconds']:.1f} s"
                + ("  best" if event["best"] else "")
            )
        case _:
            text = (
                f"best epoch {event['best_epoch']}, validation tau {event['best_validation']:+.4f}, "
                f"{event['seconds']:.1f} s: {event['path']}"
            )
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
