from pathlib import Path

import pytest
import yaml
from hypothesis import given

import modellens_core.normalize
from modellens_core.normalize.datasets import resolve_dataset
from modellens_core.normalize.text import MAX_SLUG
from tests.unit.normalize.cases import TEXTS, UNPLEASANT, golden

REGISTRY = Path(modellens_core.normalize.__file__).parent / "data" / "datasets.yaml"


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
        (
            "mnli-m",
            "MNLI-mm",
            "MNLI (matched)",
            "MultiNLI",
            "GLUE",
            "CoLA",
            "SST-5",
            "STS12",
            "SuperGLUE RTE",
        ),
        ("SuperGLUE", "BoolQ", "WSC", "xcopa_it", "Words in Context", "GLUE"),
        ("MMLU-Pro", "mmlu", "Global-MMLU de", "MMLU-Redux"),
        ("bbh_navigate", "BIG-bench Hard", "bigbench_snarks"),
        ("wikitext103", "WikiText-2", "wikitext-103-raw-v1"),
        ("Libri-Light test-clean", "librispeech_asr", "LibriSpeech test-other"),
        ("XQuAD-ca", "squad_v2", "extended-xquad"),
        ("CQADupstackAndroidRetrieval", "mteb/cqadupstack", "CQADupstack Wordpress"),
        ("imagenet32", "ImageNet-1k"),
        ("sequential CIFAR-10", "CIFAR-100"),
        ("VOT2017/18", "VOT2016"),
        ("DukeMTMC-reID->Market-1501", "Market-1501"),
        ("GTAV-to-Cityscapes Labels", "Cityscapes val"),
        ("flue_xnli", "XNLI fr", "KorNLI"),
        ("Hutter Prize", "enwik8", "text8"),
        ("Rendered SST2", "SST-2"),
        ("J-HMDB-21", "HMDB51", "JHMDB (2D poses only)"),
        ("Cleaned E2E NLG Challenge", "E2E NLG Challenge"),
        ("TREC Robust04", "Robust04"),
        ("CoNLL (Dutch)", "conll2002"),
        ("horse2zebra", "zebra2horse"),
        ("ShanghaiTech A", "ShanghaiTech B"),
        ("CommonVoiceMini21A2TRetrieval (ab)", "Common Voice ab"),
    ],
)
def test_a_hold_out_keeps_a_family_together(names: tuple[str, ...]) -> None:
    assert len({resolve_dataset(name).family for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Oxford 102 Flowers", "Flowers-102"),
        ("cifar10, 250 Labels", "CIFAR-10, 250 Labels"),
        ("Moments in Time Dataset", "Moments in Time"),
    ],
)
def test_names_under_which_the_same_scores_stand_are_one_dataset(one: str, other: str) -> None:
    assert resolve_dataset(one).dataset_id == resolve_dataset(other).dataset_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PTB dataset, ECG lead II", "Penn Treebank"),  # a heart, not a tree bank
        ("IMDb-B", "IMDb"),  # a graph of actors, not reviews
        ("V-COCO", "v-snli"),  # "coco" and "snli" are no languages
        ("XNLI", "SNLI"),
    ],
)
def test_benchmarks_of_like_names_stay_apart(one: str, other: str) -> None:
    assert resolve_dataset(one).family != resolve_dataset(other).family


@pytest.mark.parametrize(
    ("raw", "config", "same_as"),
    [
        ("glue", "cola", "glue/cola"),
        ("GLUE", "mnli_matched", "MNLI-m"),
        ("mnli", "mismatched", "MNLI-mm"),
        ("super_glue", "rte", "RTE"),
        ("mozilla-foundation/common_voice_8_0", "fr", "Common Voice 8 fr"),
        ("librispeech_asr", "clean", "LibriSpeech test-clean"),
        ("LibriSpeech", "other", "LibriSpeech (other)"),
        ("cais/mmlu", "anatomy", "hendrycksTest-anatomy"),
        ("openslr", "SLR66", "openslr slr66"),
    ],
)
def test_a_configuration_names_a_part_of_a_suite(raw: str, config: str, same_as: str) -> None:
    found = resolve_dataset(raw, config)
    assert found.takes_config
    assert found.dataset_id == resolve_dataset(same_as).dataset_id
    assert found.family == resolve_dataset(same_as).family


@pytest.mark.parametrize(
    ("raw", "config"),
    [
        ("glue/cola", "cola"),
        ("GLUE", "default"),
        ("mmlu", "all"),
        ("hendrycksTest-anatomy", "anatomy"),
    ],
)
def test_a_configuration_that_repeats_the_name_says_nothing(raw: str, config: str) -> None:
    found = resolve_dataset(raw, config)
    assert (found.dataset_id, found.takes_config) == (resolve_dataset(raw).dataset_id, True)


@pytest.mark.parametrize(
    ("raw", "config"), [("wmt16", "de-en"), ("my-set", "large"), ("squad", "")]
)
def test_other_configurations_stay_in_the_setting(raw: str, config: str) -> None:
    found = resolve_dataset(raw, config)
    assert (found.dataset_id, found.takes_config) == (resolve_dataset(raw).dataset_id, False)


@given(TEXTS, TEXTS)
def test_an_id_made_with_a_configuration_resolves_to_itself(raw: str, config: str) -> None:
    found = resolve_dataset(raw, config)
    again = resolve_dataset(found.dataset_id)
    assert (again.dataset_id, again.family) == (found.dataset_id, found.family)


def test_a_collection_is_not_one_family() -> None:
    assert resolve_dataset("OpenML task 236").family != resolve_dataset("OpenML task 2073").family


def test_a_family_is_held_out_with_one_that_stands_by_itself() -> None:
    families = yaml.safe_load(REGISTRY.read_text("utf-8"))["families"]
    hosts = {entry["part_of"] for entry in families.values() if "part_of" in entry}
    assert hosts <= {name for name, entry in families.items() if "part_of" not in entry}
