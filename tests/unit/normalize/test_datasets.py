import pytest
from hypothesis import given

from modellens_core.normalize.datasets import resolve_dataset
from modellens_core.normalize.text import MAX_SLUG
from tests.unit.normalize.cases import TEXTS, UNPLEASANT, golden


@pytest.mark.parametrize("case", golden("datasets"), ids=lambda case: case["raw"])
def test_golden(case) -> None:
    dataset = resolve_dataset(case["raw"])
    assert (dataset.dataset_id, dataset.family, dict(dataset.setting)) == (
        case["dataset_id"],
        case["family"],
        case["setting"],
    )


@given(TEXTS)
def test_total_and_ids_resolve_to_themselves(raw: str) -> None:
    dataset = resolve_dataset(raw)
    assert dataset.family
    assert set(dataset.setting) <= {"split", "shots"}
    again = resolve_dataset(dataset.dataset_id)
    assert (again.dataset_id, again.family) == (dataset.dataset_id, dataset.family)


@pytest.mark.parametrize("raw", UNPLEASANT)
def test_total_on_unpleasant_text(raw: str) -> None:
    dataset = resolve_dataset(raw)
    assert 0 < len(dataset.dataset_id) <= MAX_SLUG
    assert resolve_dataset(dataset.dataset_id).dataset_id == dataset.dataset_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CIFAR-10", "CIFAR-100"),
        ("squad", "squad_v2"),
        ("Common Voice 7.0", "Common Voice 8.0"),
        ("common_voice_8_0 fr", "common_voice_8_0 de"),
        ("glue/mrpc", "glue/rte"),
        ("ImageNet", "ImageNet-V2"),
        ("MATH", "MATH-500"),
        ("humaneval c", "humaneval c++"),
        ("BSD100 - 2x upscaling", "BSD100 - 4x upscaling"),
        ("STS12", "STS13"),
        ("ArxivClusteringP2P", "ArxivClusteringS2S"),
        ("CommonVoiceMini21A2TRetrieval (ab)", "Common Voice ab"),
        ("😀 set", "😎"),
    ],
)
def test_different_datasets_stay_apart(one: str, other: str) -> None:
    assert resolve_dataset(one).dataset_id != resolve_dataset(other).dataset_id


@pytest.mark.parametrize(
    "names",
    [
        ("xnli_de", "XNLI", "xnli/fr"),
        ("SIB200Classification (amh_Ethi)", "SIB200ClusteringS2S (fra_Latn)", "sib200"),
        ("NanoArguAnaRetrieval", "ArguAna", "ArguAna-Fa.v2", "mteb/arguana"),
        ("newstest2019-ende-engdeu.eng-deu", "WMT 2014 EN-DE", "wmt16"),
        ("Foo_Bench v1.2 (German) test", "foo-bench", "some-org/foo_bench"),
        ("hendrycksTest-anatomy", "cais/mmlu", "MMLU (5-shot)"),
        ("ImageNet-C", "imagenet_sketch", "ILSVRC 2012"),
    ],
)
def test_a_hold_out_keeps_a_family_together(names: tuple[str, ...]) -> None:
    assert len({resolve_dataset(name).family for name in names}) == 1


def test_a_collection_is_not_one_family() -> None:
    assert resolve_dataset("OpenML task 236").family != resolve_dataset("OpenML task 2073").family
