"""The real Hub records of a local folder as a repository for the loopback Hub.

2022 listing objects, model cards (also of repositories that are not in that listing), manifests of 2024
language models and `.eval_results` files become one consistent set of repositories: a listed README.md
can always be read. Nothing is changed that a record states; keys it lacks are left out or derived.
"""

import csv
import gzip
import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.hub.repository import HubRepo, MemoryRepository

LEADERBOARDS = {
    "open-llm-leaderboard/contents": "open_llm_leaderboard/contents.parquet",
    "open-llm-leaderboard-old/contents": "open_llm_leaderboard/contents-v1.parquet",
}
TASK_IDS = {"TIGER-Lab/MMLU-Pro": "mmlu_pro", "cais/hle": "hle", "Idavidrein/gpqa": "diamond"}
_DENSE = frozenset({"llama", "mistral"})  # one architecture, whose size follows from its dimensions


def snapshot_repository(folder: Path) -> MemoryRepository:
    """Read `<folder>/hub` (and the leaderboards' tables, if they are there)."""
    hub = folder / "hub"
    listing = {row["modelId"]: row for row in _json_lines(hub / "models-2022-02-21.jsonl.gz")}
    cards = dict(real_cards(hub / "cards.tar.xz"))
    manifests = {m["parent_id"]: m for m in _json_lines(hub / "llm-manifests-2024-05.jsonl.gz")}
    merged, pulls = _eval_results(hub / "eval_results_examples.tar.xz")
    repos: list[HubRepo] = []
    for repo_id in sorted({*listing, *cards, *manifests, *merged, *pulls}):
        files: dict[str, bytes | Path] = dict(merged.get(repo_id, {}))
        if repo_id in cards:
            files["README.md"] = cards[repo_id]
        row = listing.get(repo_id, {})
        names = [s["rfilename"] for s in row.get("siblings", ()) if s["rfilename"] != "README.md"]
        fields = _listed(row) | _manifest(manifests.get(repo_id))
        created = manifests[repo_id]["created"] if repo_id in manifests else None
        dates = {"created_at": _time(created)} if created else {}
        if row:
            dates["last_modified"] = row["lastModified"]
        # The listed commit holds exactly what is listed; with other files it is another commit.
        as_listed = row and repo_id not in merged
        repos.append(
            HubRepo(
                repo_id, files, fields=fields, names=tuple(names),
                pull_requests=pulls.get(repo_id, {}), commit=row["sha"] if as_listed else None, **dates,
            )
        )  # fmt: skip
    for repo_id, path in LEADERBOARDS.items():
        if (folder / path).is_file():
            table = {"data/train-00000-of-00001.parquet": folder / path}
            repos.append(HubRepo(repo_id, table, kind="dataset"))
    return MemoryRepository(repos)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def real_cards(path: Path) -> Iterator[tuple[str, bytes]]:
    """Repository and README of every card in an archive."""
    with tarfile.open(path) as archive:
        for member in archive:
            handle = archive.extractfile(member) if member.isfile() else None
            if handle is not None:
                name = member.name.removeprefix("models/").removesuffix("/README.md")
                yield name, handle.read()


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("tags", "pipeline_tag", "library_name", "config", "private", "downloads", "likes")
    return {k: row[k] for k in kept if k in row}


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _manifest(manifest: dict[str, Any] | None) -> dict[str, Any]:
    """Listing keys of a 2024 language model; the manifest's tags are those of a quantised copy."""
    if manifest is None:
        return {}
    own = f"base_model:{manifest['parent_id']}"
    tags = [t for t in manifest["tags"] if t not in {own, "gguf"}]
    fields: dict[str, Any] = {"tags": tags, "config": {"model_type": manifest["architecture"]}}
    if manifest["pipeline"]:
        fields["pipeline_tag"] = manifest["pipeline"]
    total = _parameters(manifest)
    if total:
        fields["safetensors"] = {"parameters": {"BF16": total}, "total": total}
    return fields


def _parameters(manifest: dict[str, Any]) -> int | None:
    """Weights of a llama-shaped model: embeddings, attention, gated feed-forward, norms, head."""
    size = manifest["config"]
    width, layers, inner = (
        size["embedding_size"],
        size["hidden_layer_size"],
        size["intermediate_size"],
    )
    heads = size["attention_head_size"]
    if manifest["architecture"] not in _DENSE or not (width and layers and inner and heads):
        return None
    shared = size["key_value_head_size"] or heads
    attention = 2 * width * width + 2 * width * width * shared // heads
    layer = attention + 3 * width * inner + 2 * width
    return int(2 * size["vocab_size"] * width + layers * layer + width)


Files = dict[str, dict[str, bytes]]


def _eval_results(path: Path) -> tuple[Files, dict[str, dict[int, dict[str, bytes]]]]:
    """Result files on main by repository, and those of open pull requests by number."""
    merged: Files = defaultdict(dict)
    pulls: dict[str, dict[int, dict[str, bytes]]] = defaultdict(dict)
    with tarfile.open(path) as archive:
        for member in archive:
            handle = archive.extractfile(member) if member.isfile() else None
            if handle is None:
                continue
            content = handle.read()
            if member.name.endswith("community_evals_prs.csv"):
                for row in csv.DictReader(io.StringIO(content.decode())):
                    pulls[row["model_id"]][int(row["pull_request"])] = _pull_request(row)
            elif "/.eval_results/" in member.name:
                folder, _, name = member.name.rpartition("/.eval_results/")
                repo_id = folder.rsplit("/", 1)[-1].replace("__", "/", 1)
                merged[repo_id][f".eval_results/{name}"] = content
    return merged, pulls


def _pull_request(row: dict[str, str]) -> dict[str, bytes]:
    dataset = {"id": row["dataset_id"], "task_id": TASK_IDS[row["dataset_id"]]}
    entry: dict[str, Any] = {
        "dataset": dataset,
        "value": float(row["pr_value"]),
        "date": row["pr_created"],
    }
    if "tools" in row["remark"]:
        entry["notes"] = row["remark"]
    name = f".eval_results/{TASK_IDS[row['dataset_id']]}.yaml"
    return {name: yaml.safe_dump([entry], sort_keys=False).encode()}
