"""The training process: an adapter between Dagster Pipes and `modellens_core.training`.

Started by the training assets as `python -m pipelines.worker`; started by hand it does the same and
prints instead of reporting. It trains one ranker per seed, several at a time in processes of their own,
and hands their progress on. No training logic belongs here.
"""

import argparse
import logging
import multiprocessing
import os
import queue
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from dagster_pipes import DAGSTER_PIPES_CONTEXT_ENV_VAR, open_dagster_pipes

from modellens_core.errors import ModelLensError

Say = Callable[[str], None]
REPORT_EVERY_EPOCHS = 5


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Command line of the worker."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.worker", description=__doc__)
    parser.add_argument("--lake", type=Path, required=True, help="root of the lake")
    parser.add_argument("--protocol", required=True, help="which split to train on")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets seed-<n>/")
    parser.add_argument("--seeds", required=True, help="comma-separated, for example 0,1,2")
    parser.add_argument("--config", default="default", help="a shipped config, or a YAML file")
    parser.add_argument("--processes", type=int, default=1, help="seeds trained at the same time")
    return parser.parse_args(argv)


def _train_one(
    lake: Path, protocol: str, seed: int, config: str, out: Path, events: "queue.Queue[str]"
) -> None:
    import torch

    from modellens_core.training.config import load_config
    from modellens_core.training.run import train_protocol

    torch.set_num_threads(1)

    def report(label: str, done: int, total: int | None) -> None:
        if done % REPORT_EVERY_EPOCHS == 0:
            events.put(
                f"{protocol} seed {seed}: {label} {done}"
                + (f" of at most {total}" if total else "")
            )

    result = train_protocol(lake, protocol, seed, load_config(config), out / f"seed-{seed}", report)
    events.put(
        f"{protocol} seed {seed}: best validation tau_w {result.best_validation:.3f} "
        f"after {result.epochs} epochs, {result.seconds:.0f} s"
    )


def _drain(events: "queue.Queue[str]", futures: Sequence["Future[None]"], say: Say) -> None:
    while True:
        finished = all(f.done() for f in futures)
        try:
            say(events.get(timeout=0.2))
        except queue.Empty:
            if finished:
                return


def train_seeds(arguments: argparse.Namespace, say: Say) -> None:
    """Train every seed; the first error stops the run and leaves finished seeds in place."""
    seeds = [int(s) for s in arguments.seeds.split(",")]
    # Spawned, not forked: torch's threads do not survive a fork.
    spawn = multiprocessing.get_context("spawn")
    workers = max(1, min(arguments.processes, len(seeds)))
    with spawn.Manager() as manager, ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        events: Any = manager.Queue()
        futures = [
            pool.submit(
                _train_one,
                arguments.lake,
                arguments.protocol,
                s,
                arguments.config,
                arguments.out,
                events,
            )
            for s in seeds
        ]
        _drain(events, futures, say)
        for future in futures:
            future.result()


def run(arguments: argparse.Namespace, say: Say) -> int:
    """Train; 0 on success, 2 with one clear line on an error the user can act on."""
    try:
        train_seeds(arguments, say)
    except ModelLensError as error:
        say(f"training stopped: {error}")
        return 2
    return 0


def main(argv: Sequence[str]) -> int:
    """Train, reporting through Pipes when Dagster started this process, else to the terminal."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = parse_arguments(argv)
    if DAGSTER_PIPES_CONTEXT_ENV_VAR not in os.environ:
        return run(arguments, logging.info)
    with open_dagster_pipes() as pipes:
        return run(arguments, pipes.log.info)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
