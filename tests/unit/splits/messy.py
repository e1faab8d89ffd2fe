"""A planted world with everything a split can leak through, and a lake that holds it.

On top of the clean world: a second metric per dataset, clones, re-uploads under another organisation,
a dataset family under another spelling, a dataset republished under another name with the same scores,
and one giant dataset family.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from modellens_core.features.featureset import FeatureSet, Interactions
from modellens_core.store.lake import Lake, write_json
from tests.fakes.world import make_world

GIANT = "giant-sentiment"
REPUBLISHED = "zzz-mirror"
ROW_FIELDS = ("group", "model", "dataset", "task", "metric", "y", "z")


def clean(
    n_models: int = 60, n_datasets: int = 72, seed: int = 0
) -> tuple[FeatureSet, Interactions]:
    """The clean world, one metric per dataset."""
    return make_world(n_models, n_datasets, seed=seed).arrays()


def messy(seed: int = 0) -> tuple[FeatureSet, Interactions]:
    """The clean world with leaks to avoid."""
    features, rows = clean(seed=seed)
    rng = np.random.default_rng(seed)
    n = features.n_models
    models = features.model_ids.astype("<U60")
    models[1] = "another/" + models[0].split("/")[1].upper().replace(
        "-", "_"
    )  # re-upload of model 0
    clones = features.clone_cluster.copy()
    clones[3], clones[5] = clones[2], clones[4]
    datasets = features.dataset_ids.astype("<U60")
    families = features.dataset_family.astype("<U60")
    respelled = families == families[0]
    respelled &= np.arange(len(families)) > 0
    families[respelled] = families[0].replace("-", " ").title()
    giant = np.arange(30, 48)
    families[giant] = GIANT
    families[48], datasets[48] = REPUBLISHED, REPUBLISHED
    rows = _republish(rows, of=6, under=48)
    rows = _second_metric(rows, rng)
    features = replace(
        features,
        model_ids=models,
        clone_cluster=clones,
        dataset_ids=datasets,
        dataset_family=families,
        metric_ids=np.append(features.metric_ids, "f1"),
    )
    assert len(set(models.tolist())) == n
    return features, replace(rows, group_family=families[_dataset_of_group(rows)])


def save(lake: Lake, features: FeatureSet, rows: Interactions) -> None:
    """Write feature tables as the lake holds them."""
    text = lambda values: pa.array(values.tolist(), pa.string())  # noqa: E731
    n = features.n_models
    lake.write(
        "features/models",
        pa.table(
            {
                "model_id": text(features.model_ids),
                "size_bucket": features.size_bucket,
                "params_b": 10 ** (features.log10_params.astype(float) - 9),
                "family_index": features.family,
                "name_tokens": features.name_tokens.tolist(),
                "clone_cluster": features.clone_cluster,
                "released_at": pa.array([None] * n, pa.date32()),
                "downloads": features.popularity.astype(float),
            }
        ),
    )
    lake.write("features/families", pa.table({"family": text(features.families)}))
    lake.write("features/tasks", pa.table({"task_id": text(features.task_ids)}))
    lake.write("features/metrics", pa.table({"metric_id": text(features.metric_ids)}))
    lake.write(
        "features/datasets",
        pa.table(
            {
                "dataset_id": text(features.dataset_ids),
                "dataset_family": text(features.dataset_family),
            }
        ),
    )
    write_json(
        lake.root / "features/encoder.json",
        {
            "encoder_id": features.encoder.encoder_id,
            "weights_hash": features.encoder.weights_hash,
            "dim": features.encoder.dim,
            "n_name_tokens": features.n_name_tokens,
        },
    )
    for kind in ("model", "dataset"):
        np.save(lake.root / f"features/{kind}_vectors.npy", getattr(features, f"{kind}_vectors"))
    lake.write("features/interactions", interactions_table(features, rows))


def interactions_table(features: FeatureSet, rows: Interactions) -> pa.Table:
    """`features/interactions` as SQL writes it."""
    names = {
        "group_id": rows.group_ids[rows.group],
        "model_id": features.model_ids[rows.model],
        "dataset_id": features.dataset_ids[rows.dataset],
        "dataset_family": features.dataset_family[rows.dataset],
        "task_id": features.task_ids[rows.task],
        "metric_id": features.metric_ids[rows.metric],
    }
    columns = {name: pa.array(values.tolist(), pa.string()) for name, values in names.items()}
    for name in ("group", "model", "dataset", "task", "metric"):
        columns[f"{name}_index"] = pa.array(getattr(rows, name))
    return pa.table(columns | {"y": rows.y, "z": rows.z})


def lake_of(root: Path, features: FeatureSet, rows: Interactions) -> Lake:
    """A lake that holds one feature set."""
    lake = Lake(root)
    save(lake, features, rows)
    return lake


def regroup(
    rows: Interactions, parts: list[dict[str, np.ndarray]], names: list[str]
) -> Interactions:
    """Put rows of several tables together, sorted by group, best first, z computed anew."""
    joined = {k: np.concatenate([p[k] for p in parts]) for k in ROW_FIELDS}
    order = np.lexsort((joined["model"], -joined["y"], joined["group"]))
    joined = {k: v[order] for k, v in joined.items()}
    group, y = joined["group"], joined["y"]
    n = np.bincount(group)
    mean = np.bincount(group, y) / n
    std = np.sqrt(np.bincount(group, (y - mean[group]) ** 2) / n)
    joined["z"] = (y - mean[group]) / std[group]
    return replace(rows, **joined, group_ids=np.asarray(names, dtype=np.str_))


def as_dict(rows: Interactions) -> dict[str, np.ndarray]:
    """The row arrays by name."""
    return {k: getattr(rows, k) for k in ROW_FIELDS}


def _republish(rows: Interactions, of: int, under: int) -> Interactions:
    """Replace the rows of dataset `under` by those of dataset `of`."""
    copied = as_dict(rows.select(rows.dataset == of))
    copied["dataset"] = np.full_like(copied["dataset"], under)
    copied["group"] = np.full_like(copied["group"], under)
    return regroup(
        rows, [as_dict(rows.select(rows.dataset != under)), copied], rows.group_ids.tolist()
    )


def _second_metric(rows: Interactions, rng: np.random.Generator) -> Interactions:
    """Measure every (model, dataset) by f1 too: another group, nearly the same order."""
    other = as_dict(rows)
    other["group"] = other["group"] + rows.n_groups
    other["metric"] = np.full_like(other["metric"], rows.metric.max() + 1)
    other["y"] = other["y"] + 0.05 * rng.normal(size=len(rows))
    names = [f"{g}|main" for g in rows.group_ids] + [f"{g}|f1" for g in rows.group_ids]
    return regroup(rows, [as_dict(rows), other], names)


def _dataset_of_group(rows: Interactions) -> np.ndarray:
    dataset = np.zeros(rows.n_groups, dtype=int)
    dataset[rows.group] = rows.dataset
    return dataset
