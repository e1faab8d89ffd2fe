"""The training process: an adapter between Dagster Pipes and `modellens_core.training`.

Started by the training assets as `python -m pipelines.worker`; started by hand it does the same and
prints instead of reporting. It trains one ranker per seed, several at a time in processes of their own,
and hands their progress on. They end with this process, and this one with its starter. No training logic
belongs here.
"""

import argparse
import logging
import multiprocessing
import os
import queue
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from logging.handlers import QueueHandler
from pathlib import Path
from types import FrameType
from typing import NoReturn

from dagster_pipes import DAGSTER_PIPES_CONTEXT_ENV_VAR, open_dagster_pipes

from modellens_core.errors import ModelLensError
from pipelines.lifeline import end_with

Say = Callable[[str], None]
REPORT_EVERY_EPOCHS = 5
EXIT_INTERRUPTED = 130

log = logging.getLogger("modellens.worker")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Command line of the worker."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.worker", description=__doc__)
    parser.add_argument("--lake", type=Path, required=True, help="root of the lake")
    parser.add_argument("--protocol", required=True, help="which split to train on")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets seed-<n>/")
    parser.add_argument("--seeds", required=True, help="comma-separated, for example 0,1,2")
    parser.add_argument("--config", default="default", help="a shipped config, or a YAML file")
    parser.add_argument("--processes", type=int, default=1, help="seeds trained at the same time")
    parser.add_argument("--parent", type=int, help="end when this process is gone")
    return parser.parse_args(argv)


def _begin_child(parent: int, progress: "multiprocessing.Queue[logging.LogRecord]") -> None:
    end_with(parent)
    log.setLevel(logging.INFO)
    log.addHandler(QueueHandler(progress))


def _train_one(lake: Path, protocol: str, seed: int, config: str, out: Path) -> None:
    import torch

    from modellens_core.training.config import load_config
    from modellens_core.training.run import train_protocol

    torch.set_num_threads(1)
    name = f"{protocol} seed {seed}"

    def report(label: str, done: int, total: int | None) -> None:
        if done % REPORT_EVERY_EPOCHS == 0:
            log.info("%s: %s %s%s", name, label, done, f" of at most {total}" if total else "")

    result = train_protocol(lake, protocol, seed, load_config(config), out / f"seed-{seed}", report)
    log.info(
        "%s: best validation tau_w %.3f after %s epochs, %.0f s",
        name, result.best_validation, result.epochs, result.seconds,
    )  # fmt: skip


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back here, and keep it from children started meanwhile: this process stops them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _drain(
    progress: "multiprocessing.Queue[logging.LogRecord]",
    futures: Sequence["Future[None]"],
    say: Say,
) -> None:
    while True:
        finished = all(f.done() for f in futures)
        try:
            say(progress.get(timeout=0.2).getMessage())
        except queue.Empty:
            if finished:
                return


def train_seeds(arguments: argparse.Namespace, say: Say) -> None:
    """Train every seed; the first error stops the run and leaves finished seeds in place."""
    seeds = [int(s) for s in arguments.seeds.split(",")]
    # Spawned, not forked: torch's threads do not survive a fork.
    spawn = multiprocessing.get_context("spawn")
    progress: multiprocessing.Queue[logging.LogRecord] = spawn.Queue()
    workers = max(1, min(arguments.processes, len(seeds)))
    with ProcessPoolExecutor(workers, spawn, _begin_child, (os.getpid(), progress)) as pool:
        try:
            with _interrupts_held():
                futures = [
                    pool.submit(
                        _train_one,
                        arguments.lake,
                        arguments.protocol,
                        seed,
                        arguments.config,
                        arguments.out,
                    )
                    for seed in seeds
                ]
            _drain(progress, futures, say)
        except KeyboardInterrupt:
            for child in multiprocessing.active_children():
                child.terminate()
            raise
        for future in futures:
            future.result()


def run(arguments: argparse.Namespace, say: Say) -> int:
    """Train; 0 on success, 2 with one clear line on an error the user can act on, 130 after Ctrl-C."""
    try:
        train_seeds(arguments, say)
    except ModelLensError as error:
        say(f"training stopped: {error}")
        return 2
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _interrupt_once(_number: int, _frame: FrameType | None) -> NoReturn:
    # Ctrl-C comes twice: from the terminal, and from Dagster. The second must not disturb the stopping.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(argv: Sequence[str]) -> int:
    """Train, reporting through Pipes when Dagster started this process, else to the terminal."""
    signal.signal(signal.SIGINT, _interrupt_once)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = parse_arguments(argv)
    if arguments.parent is not None:
        end_with(arguments.parent)
    if DAGSTER_PIPES_CONTEXT_ENV_VAR not in os.environ:
        return run(arguments, logging.info)
    with open_dagster_pipes() as pipes:
        return run(arguments, pipes.log.info)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
