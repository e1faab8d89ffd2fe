"""The training loop: epochs of steps, one validation per epoch, the best weights kept.

Pure of paths and formats: it takes arrays, tells a `Keeper` what to save, and returns the curve. Random
draws depend on (seed, epoch) alone, so a run resumed after any epoch goes on exactly as if it had never
stopped. Loading data is `run.py`; drawing steps is `data.py`; saving is `checkpoints.py`.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Protocol

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
    """One point of the curve: mean losses over the epoch's steps, validation tau, seconds it took."""

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
        ranker: the weights being trained; average: their running average (the same object without one).
        optimizer: AdamW with its moments.
        curve: one entry per finished epoch; steps: steps taken.
        best_epoch, best_validation: of the best epoch so far.
    """

    ranker: Ranker
    average: Ranker
    optimizer: torch.optim.AdamW
    steps: int = 0
    curve: list[EpochResult] = field(default_factory=list)
    best_epoch: int = -1
    best_validation: float = -math.inf

    @staticmethod
    def start(ranker: Ranker, config: TrainConfig) -> "TrainState":
        """The state before the first epoch."""
        optimizer = torch.optim.AdamW(
            ranker.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )
        average = ranker if config.average_decay is None else deepcopy(ranker)
        return TrainState(ranker=ranker, average=average, optimizer=optimizer)
