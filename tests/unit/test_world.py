"""The planted world must be consistent, or every test built on it proves nothing."""

import numpy as np

from modellens_core.schema import Report, staging_tables
from tests.fakes.world import make_world


def test_arrays_and_items_tell_the_same_truth():
    world = make_world()
    features, rows = world.arrays()
    reports = [i for i in world.items() if isinstance(i, Report)]
    assert len(reports) == len(rows) == int(world.observed.sum())
    for g in range(rows.n_groups):
        mask = rows.group == g
        published = {
            r.raw_model: r.value for r in reports if r.raw_dataset == features.dataset_ids[g]
        }
        values = np.array([published[m] for m in features.model_ids[rows.model[mask]]])
        lower = world.datasets[g]["lower_is_better"]
        best_first = values if lower else -values
        assert np.all(np.diff(best_first) >= 0)


def test_staging_tables_do_not_depend_on_order_and_drop_repeats():
    items = make_world(n_models=6, n_datasets=3).items()
    forward = staging_tables(items)
    backward = staging_tables([*reversed(items), items[-1]])
    assert all(forward[name].equals(backward[name]) for name in forward)
