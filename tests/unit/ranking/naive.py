"""The network as the paper writes it: concatenate all views of every row, then a plain MLP.

Slow, and obviously right. It borrows a `Ranker`'s weights, so that values and gradients can be compared.
"""

import torch
from torch import nn

from modellens_core.ranking.entities import EntityTables, Ids, Rows
from modellens_core.ranking.network import Ranker


def naive_scores(ranker: Ranker, tables: EntityTables, rows: Rows, ids: Ids):
    """Score, residual, prior and z of every row, one concatenated input per row."""
    c = rows.context
    family = tables.family[rows.model]
    family = torch.where(ranker.seen_families[family], family, torch.zeros_like(family))
    tokens = tables.name_tokens[rows.model]
    name = torch.stack(
        [
            ranker.name.weight[t[t > 0]].mean(0) if (t > 0).any() else 0 * ranker.name.weight[0]
            for t in tokens
        ]
    )
    size = ranker.size.weight[tables.size[rows.model]]
    fam = ranker.family.weight[family]
    x = torch.cat(
        [
            tables.model_vectors[rows.model],
            ranker.model_id.weight[ids.model],
            tables.dataset_vectors[rows.dataset][c],
            name,
            size,
            fam,
            ranker.dataset_id.weight[ids.dataset[c]],
            ranker.task.weight[ids.task[c]],
            ranker.metric.weight[ids.metric[c]],
        ],
        dim=1,
    )
    mlp = nn.Sequential(ranker.input, nn.ReLU(), ranker.hidden, nn.ReLU())
    hidden = mlp(x)
    prior = ranker.prior(torch.cat([size, fam], dim=1)).squeeze(1)
    temperature = max(ranker.temperature.item(), ranker.config.temperature_floor)
    residual = ranker.pair_head(hidden).squeeze(1)
    return (residual + prior) / temperature, ranker.point_head(hidden).squeeze(1)
