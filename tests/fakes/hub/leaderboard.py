"""`GET /api/datasets/{id}/leaderboard`: the results that models hold for one benchmark, best first."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.hub.repository import HubRepo


def leaderboard(models: Sequence[HubRepo], dataset_id: str) -> list[dict[str, Any]]:
    """One row per result, merged or from an open pull request, as the Hub lists them."""
    rows = [
        {
            "modelId": model.repo_id,
            "value": entry["data"]["value"],
            "filename": entry["filename"],
            "verified": entry["verified"],
            "author": {"type": "org", "name": model.repo_id.split("/")[0]},
            **({"pullRequest": entry["pullRequest"]} if "pullRequest" in entry else {}),
        }
        for model in models
        for entry in model.eval_results()
        if entry.get("data", {}).get("dataset", {}).get("id") == dataset_id
        and isinstance(entry["data"].get("value"), int | float)
    ]
    rows.sort(key=lambda row: -row["value"])
    return [{"rank": place, **row} for place, row in enumerate(rows, start=1)]
