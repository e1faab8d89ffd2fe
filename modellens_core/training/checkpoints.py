"""Checkpoints of a running training: `last.safetensors` and `best.safetensors`, each replaced whole.

A file carries its own JSON header, so one rename makes it current; a kill at any moment leaves the
state after some finished epoch. Should `best` be one epoch ahead of `last`, resuming repeats that epoch
with the same draws. A checkpoint belongs to one run (recipe, seed, data), named by a fingerprint; any
other is ignored. The finished ranker is `ranking/artifact.py`.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from modellens_core.store.lake import atomic_path
from modellens_core.training.loop import EpochResult, TrainState

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoint folder of one run."""

    folder: Path
    fingerprint: str

    def save(self, state: TrainState, improved: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        """Save the state after an epoch; the best weights only if this epoch improved on them."""
        if improved:
            self._write("best", state.best, {})
        tensors = {f"ranker.{n}": t for n, t in state.ranker.state_dict().items()}
        if state.average is not state.ranker:
            tensors |= {f"average.{n}": t for n, t in state.average.state_dict().items()}
        for name, parameter in state.ranker.named_parameters():
            moments = state.optimizer.state[parameter]
            tensors |= {f"{moment}.{name}": moments[moment] for moment in _MOMENTS}
        header = {
            "steps": state.steps,
            "best_epoch": state.best_epoch,
            "best_validation": state.best_validation,
            "curve": [asdict(result) for result in state.curve],
        }
        self._write("last", tensors, header)

    def restore(self, state: TrainState) -> bool:
        """Put the last saved state of this run into a fresh `state`; False if there is none."""
        last, best = self._read("last"), self._read("best")
        if last is None or best is None:
            return False
        tensors, header = last
        state.ranker.load_state_dict(_part(tensors, "ranker."))
        if state.average is not state.ranker:
            state.average.load_state_dict(_part(tensors, "average."))
        for name, parameter in state.ranker.named_parameters():
            state.optimizer.state[parameter] = {m: tensors[f"{m}.{name}"] for m in _MOMENTS}
        state.best = best[0]
        state.best_epoch = header["best_epoch"]
        state.best_validation = header["best_validation"]
        state.steps = header["steps"]
        state.curve = [EpochResult(**result) for result in header["curve"]]
        return True

    def clear(self) -> None:
        """Remove the checkpoints of a finished run."""
        for name in ("last", "best"):
            self._path(name).unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"

    def _write(self, name: str, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
        text = json.dumps({**header, "fingerprint": self.fingerprint})
        with atomic_path(self._path(name)) as tmp:
            save_file({n: t.contiguous() for n, t in tensors.items()}, tmp, {"state": text})

    def _read(self, name: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and header, or None if the file is missing, unreadable or of another run."""
        path = self._path(name)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                header: dict[str, Any] = json.loads(file.metadata()["state"])
                if header["fingerprint"] != self.fingerprint:
                    return None
                return {key: file.get_tensor(key) for key in file.keys()}, header  # noqa: SIM118
        except (SafetensorError, ValueError, KeyError, TypeError):
            return None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
