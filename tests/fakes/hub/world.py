"""The planted world as Hub repositories, and a few written by hand: one for each trap of real cards.

Every planted score is in a model card's `model-index`, and again in a table of the same README, so
silver and bronze must agree. The handwritten ones show what people really write: results in
`.eval_results` with and without a task id, open pull requests, broken YAML, values that are not numbers.
"""

from typing import Any

import numpy as np
import yaml

from tests.fakes.hub.repository import VALID_TOKEN, HubRepo, MemoryRepository
from tests.fakes.world import FAMILIES, World, make_world


def card(metadata: dict[str, Any] | str, body: str) -> bytes:
    """A README: front matter (a mapping, or text for broken YAML) and Markdown."""
    text = metadata if isinstance(metadata, str) else yaml.safe_dump(metadata, sort_keys=False)
    return f"---\n{text.strip()}\n---\n\n{body.strip()}\n".encode()


def model_index(name: str, *results: dict[str, Any]) -> list[dict[str, Any]]:
    """A `model-index` with one model."""
    return [{"name": name, "results": list(results)}]


def result(
    task: str, dataset: dict[str, Any], *metrics: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """One entry of `model-index[].results`."""
    return {"task": {"type": task}, "dataset": dataset, "metrics": list(metrics), **more}


def entries(*values: dict[str, Any]) -> bytes:
    """An `.eval_results` file."""
    return yaml.safe_dump(list(values), sort_keys=False).encode()


def gold(dataset: str, value: Any, task_id: str | None = None, **more: Any) -> dict[str, Any]:
    """One entry of an `.eval_results` file."""
    task = {"task_id": task_id} if task_id else {}
    return {"dataset": {"id": dataset, **task}, "value": value, **more}


def _planted(world: World, index: int) -> HubRepo:
    name = world.model_ids[index]
    family = FAMILIES[world.family[index]]
    observed = [int(j) for j in np.flatnonzero(world.observed[index])]
    results, lines = [], ["| Benchmark | Metric | Score |", "|---|---|---|"]
    for j in observed:
        d = world.datasets[j]
        score = world.score(index, j)
        results.append(
            result(
                d["task"], {"type": d["id"], "name": d["id"]}, {"type": d["metric"], "value": score}
            )
        )
        lines.append(f"| {d['id']} | {d['metric']} | {score}% |")
    metadata = {
        "language": "en",
        "license": "apache-2.0",
        "model-index": model_index(name.split("/")[1], *results),
    }
    body = f"# {name}\n\nA {family} model for text.\n\n## Evaluation\n\n" + "\n".join(lines)
    total = int(world.params_b[index] * 1e9)
    return HubRepo(
        name,
        {"README.md": card(metadata, body)},
        fields={
            "tags": ["transformers", "safetensors", family, "license:apache-2.0"],
            "pipeline_tag": "text-classification",
            "library_name": "transformers",
            "config": {"model_type": family, "architectures": [f"{family.title()}Model"]},
            "safetensors": {"parameters": {"BF16": total}, "total": total},
            "downloads": 1000 * (index + 1),
            "likes": index,
        },
        created_at=f"2023-{1 + index % 12:02d}-01T00:00:00.000Z",
    )


def handwritten() -> list[HubRepo]:
    """Repositories that show one trap each."""
    wer = {"type": "wer", "name": "Test WER"}
    speech = {"type": "common_voice", "name": "Common Voice tr", "args": "tr"}
    strings = model_index(
        "asr",
        result("automatic-speech-recognition", speech, {**wer, "value": "20.0 ± 1.2"}),
        result("automatic-speech-recognition", speech, {"type": "cer", "value": "NA"}),
    )
    broken = """
language: tr
license: mit
title: Speech: a model with a colon
model-index:
- name: broken
  results:
  - task: {type: automatic-speech-recognition, name: Speech Recognition}
    dataset: {type: common_voice, name: Common Voice tr, args: tr}
    metrics:
    - {type: wer, name: Test WER, value: 21.5}
"""
    source = {"url": "https://example.org/report", "name": "Technical report", "org": "gold-lab"}
    return [
        HubRepo(
            "gold-lab/reasoner-9b",
            {
                ".eval_results/gpqa.yaml": entries(
                    gold("Idavidrein/gpqa", 61.5, "diamond", date="2026-01-27", source=source),
                ),
                ".eval_results/hle.yaml": entries(
                    gold("cais/hle", 12.5, "hle"),
                    gold("cais/hle", 20.9, "hle", notes="With tools"),
                ),
                ".eval_results/mmlu_pro.yaml": entries(
                    gold("TIGER-Lab/MMLU-Pro", 77.2, "mmlu_pro", verifyToken=VALID_TOKEN),
                ),
                ".eval_results/private.yaml": entries(gold("gold-lab/private", 3.0, "main")),
                "README.md": card({"license": "mit"}, "# Reasoner\n\nA model that reasons about science."),
            },
            pull_requests={
                7: {".eval_results/gpqa.yaml": entries(gold("Idavidrein/gpqa", 54.8, "diamond"))},
            },
            fields={"downloads": 900_000, "safetensors": {"parameters": {"BF16": 9 * 10**9}, "total": 9 * 10**9}},
        ),
        HubRepo(
            "gold-lab/untidy",
            {
                ".eval_results/no_task.yaml": entries(gold("openai/gsm8k", 86.2)),
                ".eval_results/one.yaml": b"dataset: {id: openai/gsm8k}\nvalue: 1\n",
                ".eval_results/text.yaml": entries(gold("cais/hle", "high", "hle")),
            },
        ),
        HubRepo("people/asr-strings", {"README.md": card({"model-index": strings}, "# ASR")}),
        HubRepo("people/asr-broken-yaml", {"README.md": card(broken, "# ASR")}),
        HubRepo("people/empty", {}, names=("pytorch_model.bin",)),
    ]  # fmt: skip


def world_repository(world: World | None = None) -> MemoryRepository:
    """The planted world (of the default seed) and the handwritten repositories."""
    planted = world or make_world()
    repos = [_planted(planted, i) for i in range(len(planted.model_ids))]
    return MemoryRepository(repos + handwritten())
