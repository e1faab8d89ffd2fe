"""Averages over lists, with intervals: the numbers a report quotes.

Seeds are averaged within a list, lists within a dataset family, families weigh the same: ten giant
leaderboards cannot decide the result. Intervals are 95% percentile bootstraps that draw whole families,
since lists of one family are not independent; differences between methods draw the same families for
both. A family here is a dataset unit of the splits (`dataset_unit`): families that copy each other's
scores or have kindred names are no two witnesses. What one list's value is belongs in `metrics/`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modellens_core.errors import UnknownNameError
from modellens_core.evaluation.metrics import METRICS

FloatArray = npt.NDArray[np.float64]

DRAWS = 2000
BOOTSTRAP_SEED = 0
MIN_MODELS_SHOWN = (5, 10)  # the headline, and the longer lists beside it
PAPER_TAU_BY_PAIRS = "paper_tau_by_pairs"  # the paper's metric with the paper's weights

SUMMARY = pa.schema(
    [
        pa.field("protocol", pa.string(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("min_models", pa.int64(), nullable=False),  # lists at least this long
        pa.field("mean", pa.float64(), nullable=False),
        pa.field("low", pa.float64(), nullable=False),
        pa.field("high", pa.float64(), nullable=False),
        pa.field("n_groups", pa.int64(), nullable=False),
        pa.field("n_families", pa.int64(), nullable=False),  # dataset units
        pa.field("seeds", pa.int64(), nullable=False),
        pa.field("seconds", pa.float64(), nullable=False),  # fit and score, mean over seeds
    ]
)

DIFFERENCES = pa.schema(
    [
        pa.field("protocol", pa.string(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("baseline", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("min_models", pa.int64(), nullable=False),
        pa.field("mean", pa.float64(), nullable=False),  # method minus baseline
        pa.field("low", pa.float64(), nullable=False),
        pa.field("high", pa.float64(), nullable=False),
        pa.field("won", pa.float64(), nullable=False),  # share of lists, a draw counts half
        pa.field("n_groups", pa.int64(), nullable=False),
        pa.field("n_families", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class _Lists:
    """Values of one protocol, averaged over seeds: K methods on G lists."""

    protocol: str
    methods: list[str]
    seeds: list[int]  # [K] how many
    family: npt.NDArray[np.int64]  # [G]
    n_models: npt.NDArray[np.int64]  # [G]
    values: Mapping[str, FloatArray]  # metric: [K, G], NaN where not defined


def summarise(groups: pa.Table, seconds: Mapping[str, float]) -> pa.Table:
    """Average every metric of every method, with 95% intervals.

    Args:
        groups: a table of schema `GROUPS`, of one or more protocols.
        seconds: method name to the seconds it took.

    Returns:
        A table of schema `SUMMARY`. Metrics that no list defines are left out.
    """
    found = []
    for lists in _by_protocol(groups):
        for metric, least, values, family, weight in _slices(lists):
            mean, low, high = _bootstrap(values, family, weight)
            found += [
                {
                    "protocol": lists.protocol, "method": method, "metric": metric,
                    "min_models": least, "mean": mean[k], "low": low[k], "high": high[k],
                    "n_groups": values.shape[1], "n_families": len(np.unique(family)),
                    "seeds": lists.seeds[k], "seconds": seconds.get(method, 0.0),
                }
                for k, method in enumerate(lists.methods)
            ]  # fmt: skip
    return pa.Table.from_pylist(found, schema=SUMMARY)


def differences(groups: pa.Table, method: str) -> pa.Table:
    """Compare one method with every other one on the same lists.

    Args:
        groups: a table of schema `GROUPS`, of one or more protocols.
        method: the method whose gains are asked for.

    Returns:
        A table of schema `DIFFERENCES`.

    Raises:
        UnknownNameError: `method` was not evaluated under one of the protocols.
    """
    lower = {m.name for m in METRICS if not m.higher_is_better}
    found = []
    for lists in _by_protocol(groups):
        if method not in lists.methods:
            raise UnknownNameError(
                f"method {method!r} was not evaluated under {lists.protocol!r}; "
                f"there are {', '.join(lists.methods)}"
            )
        ours = lists.methods.index(method)
        others = [k for k in range(len(lists.methods)) if k != ours]
        for metric, least, values, family, weight in _slices(lists):
            gain = values[ours] - values[others]
            mean, low, high = _bootstrap(gain, family, weight)
            better = -gain if metric in lower else gain
            won = ((better > 0) + 0.5 * (better == 0)).mean(axis=1)
            found += [
                {
                    "protocol": lists.protocol, "method": method, "baseline": lists.methods[k],
                    "metric": metric, "min_models": least, "mean": mean[i], "low": low[i],
                    "high": high[i], "won": won[i], "n_groups": values.shape[1],
                    "n_families": len(np.unique(family)),
                }
                for i, k in enumerate(others)
            ]  # fmt: skip
    return pa.Table.from_pylist(found, schema=DIFFERENCES)


def _by_protocol(groups: pa.Table) -> Iterator[_Lists]:
    protocol = np.asarray(groups["protocol"].to_pylist())
    for name in dict.fromkeys(protocol.tolist()):
        yield _lists(name, groups.filter(pa.array(protocol == name)))


def _lists(protocol: str, groups: pa.Table) -> _Lists:
    method = np.asarray(groups["method"].to_pylist())
    names = list(dict.fromkeys(method.tolist()))
    number = {name: k for k, name in enumerate(names)}
    _, first, group = np.unique(
        np.asarray(groups["group_id"].to_pylist()), return_index=True, return_inverse=True
    )
    cell = np.array([number[m] for m in method]) * len(first) + group
    shape = (len(names), len(first))
    n_runs = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    seeds: dict[str, set[int]] = {name: set() for name in names}  # a seed may have several runs
    for name, seed in zip(method.tolist(), groups["seed"].to_pylist(), strict=True):
        seeds[name].add(seed)
    values = {}
    for metric in METRICS:
        value = groups[metric.name].to_numpy(zero_copy_only=False).astype(np.float64)
        values[metric.name] = np.bincount(cell, value, shape[0] * shape[1]).reshape(shape) / n_runs
    families = np.asarray(groups["dataset_unit"].to_pylist())[first]
    return _Lists(
        protocol=protocol,
        methods=names,
        seeds=[len(seeds[name]) for name in names],
        family=np.unique(families, return_inverse=True)[1],
        n_models=groups["n_models"].to_numpy()[first],
        values=values,
    )


def _slices(
    lists: _Lists,
) -> Iterator[tuple[str, int, FloatArray, npt.NDArray[np.int64], FloatArray | None]]:
    """(metric, min_models, values [K, G'], family [G'], weight [G'] or None for families alike)."""
    pairs = lists.n_models * (lists.n_models - 1) / 2.0
    for least in MIN_MODELS_SHOWN:
        long_enough = lists.n_models >= least
        for metric, values in lists.values.items():
            kept = long_enough & np.isfinite(values).all(axis=0)
            if kept.any():
                yield metric, least, values[:, kept], lists.family[kept], None
        if long_enough.any():
            tau = lists.values["paper_tau"][:, long_enough]
            yield PAPER_TAU_BY_PAIRS, least, tau, lists.family[long_enough], pairs[long_enough]


def _bootstrap(
    values: FloatArray, family: npt.NDArray[np.int64], weight: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean and 95% interval of [K, G] values: ([K], [K], [K]).

    The draws depend on the number of families only, so all methods see the same families.
    """
    codes = np.unique(family, return_inverse=True)[1]
    n_families = int(codes.max()) + 1
    each = np.ones(len(codes)) if weight is None else weight
    mass = np.bincount(codes, weights=each).astype(np.float64)
    total = np.stack([np.bincount(codes, weights=row * each) for row in values]).astype(np.float64)
    if weight is None:  # families alike
        total, mass = total / mass, np.ones(n_families)
    drawn = _drawn(n_families)
    means = (drawn @ total.T) / (drawn @ mass)[:, None]
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return total.sum(axis=1) / mass.sum(), low, high


@lru_cache(maxsize=4)
def _drawn(n_families: int) -> FloatArray:
    """[DRAWS, F] how often each family is drawn; the same draws whenever there are F families."""
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    alike = np.full(n_families, 1.0 / n_families)
    return rng.multinomial(n_families, alike, size=DRAWS).astype(np.float64)
