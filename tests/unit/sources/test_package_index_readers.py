"""Reading the kinds of wheel that are not model zoos: leaderboards, experiments, weight enums, READMEs."""

import json

import pytest

from modellens_core.schema import ModelFact, Reject, Report, Unit
from modellens_core.sources.package_index import catalogue
from tests.unit.sources.reading import as_row, entry, file, read

ALPACA_CSV = """\
,win_rate,standard_error,n_total,avg_length,length_controlled_winrate
good-7b,12.5,1.1,805,1500,20.25
NullModel,76.9,0.9,805,872,86.4
old-7b,3.5,0.5,805,900,
"""


def test_alpaca_eval_keeps_the_judge_and_drops_what_deceives_it():
    wheel = next(w for w in catalogue.wheels() if w.package == "alpaca-eval")
    folder = "alpaca_eval/leaderboards/data_AlpacaEval_2"
    found = read(
        wheel,
        file(f"{folder}/claude_leaderboard.csv", ALPACA_CSV),
        file(
            "alpaca_eval/models_configs/good-7b/configs.yaml",
            "good-7b: {pretty_name: Good 7B, link: 'https://example.org/good'}",
        ),
        file("alpaca_eval/models_configs/odd/configs.yaml", "even: {}"),
        file(f"{folder}/notes_leaderboard.csv", "a,b\n1,2\n"),
    )
    assert sorted((r.raw_model, r.raw_metric, r.raw_value) for r in found[Report]) == [
        ("good-7b", "length_controlled_winrate", "20.25"),
        ("good-7b", "win_rate", "12.5"),
        ("old-7b", "win_rate", "3.5"),
    ]
    assert {(r.raw_dataset, r.unit, r.setting["judge"]) for r in found[Report]} == {
        ("AlpacaEval 2", Unit.PERCENT, "claude")
    }
    assert [(f.raw_model, f.url) for f in found[ModelFact]] == [
        ("good-7b", "https://example.org/good")
    ]
    assert sorted(r.reason for r in found[Reject]) == [
        "adversarial", "adversarial", "malformed_csv", "malformed_model"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "results",
    [
        {"best": {"hits_at_k": {"10": 0.5}, "mean_rank": 12}},
        {"hits_at_k": {"best": {"10": 0.5}}, "mean_rank": {"best": 12}},
        {"best": {"hits_at_10": 0.5, "mean_rank": 12, "variance": 4e6}},
    ],
)
def test_pykeen_results_mean_the_same_in_every_nesting(results):
    wheel = next(w for w in catalogue.wheels() if w.package == "pykeen")
    experiment = {"pipeline": {"model": "TransE", "dataset": "fb15k"}, "results": results}
    found = read(
        wheel, file("pykeen/experiments/transe/a2013_transe_fb15k.json", json.dumps(experiment))
    )
    assert sorted(map(as_row, found[Report])) == [
        ["TransE", "fb15k", "link prediction", "hits_at_10", "0.5", 0.5, "proportion", '{"ties":"best"}'],
        ["TransE", "fb15k", "link prediction", "mean_rank", "12", 12.0, "raw", '{"ties":"best"}'],
    ]  # fmt: skip


def test_pykeen_ablations_are_models_of_their_own_and_odd_files_are_told():
    wheel = next(w for w in catalogue.wheels() if w.package == "pykeen")
    text = (
        "pipeline: {model: NodePiece, dataset: wn18rr}\nresults: {best: {hits_at_k: {'10': 0.04}}}"
    )
    found = read(
        wheel,
        file("pykeen/experiments/nodepiece/g2022_nodepiece_wn18rr_noancs.yaml", text),
        file("pykeen/experiments/hpo/space.yaml", "pipeline: {model: TransE}"),
        file("pykeen/experiments/a_b_c.json", "{"),
        file("pykeen/experiments/d_e_f.yaml", "results: {best: {mean_rank: 1}}"),
    )
    assert [r.raw_model for r in found[Report]] == ["NodePiece (noancs)"]
    assert sorted(r.reason for r in found[Reject]) == ["malformed_model", "malformed_yaml"]


CHECK = """\
models:
  - name: net-onnx
    datasets:
      - name: imagenet_1000_classes
        metrics:
          - {name: accuracy@top1, type: accuracy, top_k: 1, reference: 0.8111}
          - {type: psnr, reference: {mean: 34.2, std: 4.6}}
          - {type: nme}
          - {type: f1-score, reference: {has_hat: 0.6, has_bag: 0.5}}
  - name: net-tf
    datasets:
      - {name: imagenet_1000_classes, metrics: [{name: accuracy@top1, reference: 0.8111}]}
evaluations:
  - name: net
    module_config: {datasets: [{name: squad, metrics: [{name: F1, type: f1, reference: 0.93}]}]}
"""


def test_open_model_zoo_takes_the_folder_for_the_model_and_the_mean_for_the_score():
    wheel = next(w for w in catalogue.wheels() if w.package == "openvino-dev")
    found = read(
        wheel,
        file("omz_tools/models/public/net/accuracy-check.yml", CHECK),
        file("omz_tools/models/public/net/model.yml", "task_type: question_answering"),
        file("omz_tools/models/public/other/model.yml", "task_type: ["),
    )
    assert sorted(map(as_row, found[Report])) == [
        ["net", "imagenet_1000_classes", "question answering", "accuracy@top1", "0.8111", 0.8111, "proportion", "{}"],
        ["net", "imagenet_1000_classes", "question answering", "psnr", "34.2", 34.2, "raw", "{}"],
        ["net", "squad", "question answering", "F1", "0.93", 0.93, "proportion", "{}"],
    ]  # fmt: skip
    assert [f.raw_model for f in found[ModelFact]] == ["net"]
    assert sorted(r.reason for r in found[Reject]) == ["malformed_yaml", "not_a_scalar"]


TORCHVISION = """\
raise SystemExit("executed")


class Mask_Weights(WeightsEnum):
    \"\"\"Weights.\"\"\"

    COCO_V1 = Weights(
        url="https://example.org/mask.pth",
        meta={
            **_COMMON_META,
            "num_params": 44_401_393,
            "categories": _CATEGORIES,
            "_metrics": {"COCO-val2017": {"box_map": 37.9, "mask_map": 34.6}},
        },
    )
    PLAIN = Weights(url="x", meta={"num_params": 1})
    DEFAULT = COCO_V1
"""


def test_torchvision_is_read_and_never_run():
    wheel = next(w for w in catalogue.wheels() if w.package == "torchvision")
    found = read(
        wheel,
        file("torchvision/models/detection/mask.py", TORCHVISION),
        file("torchvision/models/broken.py", "class Half_Weights(:"),
    )
    assert sorted(map(as_row, found[Report])) == [
        ["Mask_Weights.COCO_V1", "COCO-val2017", "instance segmentation", "mask_map", "34.6", 34.6, "percent", "{}"],
        ["Mask_Weights.COCO_V1", "COCO-val2017", "object detection", "box_map", "37.9", 37.9, "percent", "{}"],
    ]  # fmt: skip
    assert [(f.raw_model, f.params_b) for f in found[ModelFact]] == [
        ("Mask_Weights.COCO_V1", 0.044401393)
    ]
    assert [r.reason for r in found[Reject]] == ["malformed_source"]


README = """\
Metadata-Version: 2.1
Name: detectors

# Detectors

| Model | mAP<sup>val<br>50-95</sup> |
|---|---|
| elsewhere | 1.0 |

<details open><summary>Detection (COCO)</summary>

| Model                          | mAP<sup>val<br>50-95</sup> | params<br><sup>(M)</sup> |
|--------------------------------|----------------------------|--------------------------|
| [Tiny](https://example.org/t)  | 40.9                       | 2.4                      |
| Huge △                         | **57.5**                   | ~60                      |
| Absent                         | —                          | 1.0                      |

</details>
"""


def test_readme_tables_are_found_by_heading_and_columns():
    column = {"column": "mAPval 50-95", "dataset": "COCO", "metric": "mAP50-95"}
    table = {
        "section": "Detection (COCO)",
        "task": "object detection",
        "model_column": "Model",
        "params_column": "params (M)",
        "scores": [column],
        "setting": {"protocol": "own"},
    }
    wheel = entry("readme_tables", tables=[table, {**table, "section": "Gone"}])
    found = read(wheel, file("detectors-1.0.dist-info/METADATA", README))
    assert sorted(map(as_row, found[Report])) == [
        ["Huge", "COCO", "object detection", "mAP50-95", "57.5", 57.5, None, '{"protocol":"own"}'],
        ["Tiny", "COCO", "object detection", "mAP50-95", "40.9", 40.9, None, '{"protocol":"own"}'],
    ]  # fmt: skip
    assert [(f.raw_model, f.params_b) for f in found[ModelFact]] == [
        ("Tiny", 0.0024), ("Huge", None), ("Absent", 0.001)
    ]  # fmt: skip
    assert [r.reason for r in found[Reject]] == ["table_not_found"]
