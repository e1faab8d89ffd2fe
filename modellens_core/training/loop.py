"""The training loop: epochs of steps, one validation per epoch, the best weights kept.

Pure of paths and formats: it takes arrays, tells its caller after every epoch, and leaves the best
weights in the state. Random draws depend on (seed, epoch) alone, so a run resumed after any epoch goes
on exactly as if it had never stopped. Loading is `run.py`, drawing steps `data.py`, saving
`checkpoints.py`.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from modellens_core.errors import ModelLensError
from modellens_core.ranking.entities import EntityTables
from modellens_core.ranking.losses.listwise import plackett_luce
from modellens_core.ranking.losses.pairwise import bpr
from modellens_core.ranking.losses.pointwise import squared_error
from modellens_core.ranking.network import Ranker
from modellens_core.training.config import TrainConfig
from modellens_core.training.data import GroupedRows, Step
from modellens_core.training.validation import Validation


@dataclass(frozen=True, slots=True)
class EpochResult:
    """One point of the curve: mean losses over the epoch's steps, validation tau, wall seconds."""

    epoch: int
    loss: float
    listwise: float
    pairwise: float
    pointwise: float
    validation: float
    temperature: float
    seconds: float


@dataclass(slots=True)
class TrainState:
    """All that changes during training; what a checkpoint holds.

    Attributes:
        ranker: the weights being trained.
        average: their running average, which is validated and kept; `ranker` itself if none is asked for.
        optimizer: AdamW with its moments.
        best: the best weights so far; best_epoch, best_validation: when, and how good.
        steps: optimizer steps taken; curve: one entry per finished epoch.
    """

    ranker: Ranker
    average: Ranker
    optimizer: torch.optim.AdamW
    best: dict[str, Tensor]
    best_epoch: int = -1
    best_validation: float = -math.inf
    steps: int = 0
    curve: list[EpochResult] = field(default_factory=list)

    @staticmethod
    def start(ranker: Ranker, config: TrainConfig) -> "TrainState":
        """The state before the first epoch."""
        return TrainState(
            ranker=ranker,
            average=ranker if config.average_decay is None else deepcopy(ranker),
            optimizer=torch.optim.AdamW(
                ranker.parameters(),
                lr=config.learning_rate,
                weight_decay=config.weight_decay,
                fused=True,
            ),
            best=_copy(ranker),
        )

    def finished(self, config: TrainConfig) -> bool:
        """Whether patience or epochs are used up."""
        epochs = len(self.curve)
        waited = epochs - 1 - self.best_epoch
        return epochs >= config.max_epochs or (epochs > 0 and waited >= config.patience)


def train(
    state: TrainState,
    config: TrainConfig,
    tables: EntityTables,
    rows: GroupedRows,
    validation: Validation,
    seed: int,
    on_epoch: Callable[[TrainState, bool], None],
) -> None:
    """Train until patience or epochs are used up; `state.best` then holds the best weights.

    Args:
        state: fresh, or of a run that stopped after some epoch; changed in place.
        config: the recipe.
        tables: the entities.
        rows: the training part.
        validation: the groups that choose the best epoch.
        seed: of all draws.
        on_epoch: called after every epoch with the state, and whether it was the best so far.

    Raises:
        ModelLensError: a loss or a validation score is not finite. Nothing of that epoch is kept.
    """
    while not state.finished(config):
        began = time.monotonic()
        epoch = len(state.curve)
        with _seeded(seed, epoch):
            losses = _epoch(state, config, tables, rows, seed, epoch)
        value = validation.tau(state.average, tables)
        state.curve.append(
            EpochResult(
                epoch=epoch,
                loss=losses[0],
                listwise=losses[1],
                pairwise=losses[2],
                pointwise=losses[3],
                validation=value,
                temperature=state.average.temperature.item(),
                seconds=round(time.monotonic() - began, 3),
            )
        )
        improved = value > state.best_validation
        if improved:
            state.best, state.best_epoch, state.best_validation = _copy(state.average), epoch, value
        on_epoch(state, improved)


def _epoch(
    state: TrainState,
    config: TrainConfig,
    tables: EntityTables,
    rows: GroupedRows,
    seed: int,
    epoch: int,
) -> list[float]:
    """One pass over the lists: mean total, listwise, pairwise and pointwise loss."""
    state.ranker.train()
    totals = np.zeros(4)
    steps = 0
    for step in rows.epoch(config.feed, seed, epoch):
        losses = step_losses(state.ranker, config, tables, step)
        values = [loss.item() for loss in losses]
        if not math.isfinite(values[0]):
            raise ModelLensError(
                f"the training loss became {values[0]} at epoch {epoch}, step {steps}; "
                f"lower learning_rate (now {config.learning_rate:g}), or check the features"
            )
        state.optimizer.zero_grad()
        losses[0].backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(state.ranker.parameters(), config.clip_norm)
        state.optimizer.step()
        state.steps += 1
        _average(state, config)
        totals += values
        steps += 1
    state.ranker.eval()
    return [float(total) for total in totals / steps]


def step_losses(
    ranker: Ranker, config: TrainConfig, tables: EntityTables, step: Step
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Total, listwise, pairwise and pointwise loss of one step."""
    out = ranker(tables, step.rows)
    listed, pairs = len(step.block_start), step.pairs
    listwise = plackett_luce(out.score[:listed], step.lengths, step.block_start)
    better, worse = out.score[listed : listed + pairs], out.score[listed + pairs :]
    pairwise = bpr(better, worse) if pairs else out.score.new_zeros(())
    pointwise = squared_error(out.z, step.z, step.weight)
    total = config.listwise * listwise + config.pairwise * pairwise + config.pointwise * pointwise
    return total, listwise, pairwise, pointwise


def _average(state: TrainState, config: TrainConfig) -> None:
    """Move the running average towards the weights; faster in the first steps, to forget the start."""
    if config.average_decay is None:
        return
    decay = min(config.average_decay, (1 + state.steps) / (10 + state.steps))
    with torch.no_grad():
        torch._foreach_lerp_(
            list(state.average.parameters()), list(state.ranker.parameters()), 1.0 - decay
        )


def _copy(ranker: Ranker) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in ranker.state_dict().items()}


@contextmanager
def _seeded(seed: int, epoch: int) -> Iterator[None]:
    """Dropout draws that depend on (seed, epoch) alone, leaving the caller's random state untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))
        yield
