"""A bundle comes back as it went in, or is refused; the one before it always stays usable."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from modellens_core.errors import BundleError, ModelLensError
from modellens_core.features.featureset import FeatureSet
from modellens_core.ranking.artifact import load_ranker
from modellens_core.ranking.entities import Query
from modellens_core.serving import Recommender
from modellens_core.serving.bundle import latest_bundle, publish_bundle, read_bundle, write_bundle
from modellens_core.serving.contents import gather
from modellens_core.store.lake import Lake

EARLIER = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def copy(published, tmp_path) -> Path:
    """A bundle of one's own to harm."""
    return Path(shutil.copytree(published.path, tmp_path / published.path.name))


def files_of(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_scores_before_and_after_are_the_same(published, recommender):
    features = FeatureSet.load(published.lake)
    ranker, _ = load_ranker(published.ranker_dir)
    vector = recommender._ask("Legal texts to summarise", "summarization", "rouge-l").vector
    task = features.task_ids.tolist().index("summarization")
    metric = features.metric_ids.tolist().index("rouge-l")
    query = Query(vector, features.n_datasets, task, metric)
    before = ranker.score_candidates(ranker.candidates(features), query)
    after = recommender.score(
        description="Legal texts to summarise", task="summarization", metric="rouge-l",
        models=features.model_ids.tolist(),
    )  # fmt: skip
    assert np.ptp(before.score) > 1
    np.testing.assert_allclose(after, before.score, rtol=1e-5, atol=1e-5)


def test_the_bundle_needs_neither_lake_nor_ranker_folder(published, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(published.path, moved)
    answer = Recommender.load(moved).recommend(description="news to sort by mood")
    assert len(answer) == 10


def test_no_file_is_a_pickle(published):
    assert {p.suffix for p in published.path.iterdir()} == {
        ".json",
        ".npy",
        ".parquet",
        ".safetensors",
    }
    for array in published.path.glob("*.npy"):
        np.load(array, allow_pickle=False)


def test_the_manifest_says_where_it_comes_from(published):
    manifest = read_bundle(published.path).manifest
    assert manifest.corpus_sha256 == published.lake.info("corpus/records").sha256
    assert manifest.encoder == FeatureSet.load(published.lake).encoder
    assert manifest.counts["models"] == 40
    assert manifest.ranker["protocol"] == "production"
    assert set(manifest.files) == files_of(published.path) - {"manifest.json"}


def test_the_same_content_is_published_once(published, tmp_path):
    first = publish_bundle(published.lake, published.ranker_dir, tmp_path)
    assert publish_bundle(published.lake, published.ranker_dir, tmp_path) == first
    assert files_of(tmp_path) == {first.name, "LATEST"}


def test_a_damaged_release_is_published_again(published, tmp_path):
    first = publish_bundle(published.lake, published.ranker_dir, tmp_path)
    (first / "candidates.npy").write_bytes(b"rot")
    second = publish_bundle(published.lake, published.ranker_dir, tmp_path)
    assert latest_bundle(tmp_path).path == second
    assert read_bundle(second)


def test_a_failed_publication_leaves_everything_as_it_was(published, tmp_path, monkeypatch):
    contents = gather(published.lake, published.ranker_dir)
    first = write_bundle(tmp_path, contents, EARLIER)

    def full(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr("modellens_core.serving.bundle.write_vectors", full)
    with pytest.raises(OSError, match="no space"):
        write_bundle(tmp_path, contents, datetime(2026, 2, 3, tzinfo=UTC))
    assert files_of(tmp_path) == {first.name, "LATEST"}
    assert latest_bundle(tmp_path).path == first


def test_a_ranker_of_other_features_is_refused(published, tmp_path):
    lake = Lake(Path(shutil.copytree(published.lake.root, tmp_path / "lake")))
    models = lake.read("features/models")
    lake.write("features/models", models.take(list(range(len(models)))[::-1]))
    with pytest.raises(ModelLensError, match="models of the features changed"):
        publish_bundle(lake, published.ranker_dir, tmp_path / "bundles")
    assert not (tmp_path / "bundles").exists()


@pytest.mark.parametrize(
    "name",
    ["candidates.npy", "models.parquet", "ranker.safetensors", "ranker.json", "evidence.parquet"],
)
@pytest.mark.parametrize("harm", ["cut", "flip", "gone"])
def test_damage_is_noticed(copy, name, harm):
    victim = copy / name
    raw = bytearray(victim.read_bytes())
    if harm == "gone":
        victim.unlink()
    elif harm == "cut":
        victim.write_bytes(raw[:-1])
    else:
        raw[len(raw) // 2] ^= 1
        victim.write_bytes(raw)
    with pytest.raises(BundleError, match=f"damaged: {name}.*modellens run") as caught:
        Recommender.load(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "damaged: manifest.json"),
        ("[]", "damaged: manifest.json"),
        ("{}", "damaged: manifest.json"),
        ('{"format": 1}', "damaged: manifest.json"),
        ('{"format": 99}', "format 99, this version reads format 1"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_one_clear_line(copy, text, says):
    (copy / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=says) as caught:
        read_bundle(copy)
    assert "\n" not in str(caught.value)


def test_a_manifest_cannot_reach_outside_its_folder(copy):
    values = json.loads((copy / "manifest.json").read_text())
    values["files"]["../outside"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(BundleError, match="damaged"):
        read_bundle(copy)


def test_nothing_there(tmp_path):
    with pytest.raises(BundleError, match=r"no bundle in .*nowhere"):
        Recommender.load(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="no bundle has been published"):
        Recommender.latest(tmp_path)


@pytest.mark.parametrize("name", ["", "../elsewhere", "/tmp", "gone"])
def test_a_pointer_that_leads_nowhere(tmp_path, name):
    (tmp_path / "LATEST").write_text(name)
    with pytest.raises(BundleError):
        latest_bundle(tmp_path)


def test_latest_without_a_path_is_that_of_the_settings(published, monkeypatch, tmp_path):
    monkeypatch.setenv("MODELLENS_HOME", str(tmp_path))
    target = tmp_path / "quickstart" / "bundles"
    target.parent.mkdir()
    shutil.copytree(published.bundle_dir, target)
    assert Recommender.latest().manifest.release == published.path.name


def test_evidence_names_place_and_source(published):
    rows = pq.read_table(published.path / "evidence.parquet").to_pylist()
    world = published.world
    assert len(rows) == int(world.observed.sum())
    lists: dict[int, list[dict]] = {}
    for row in rows:
        lists.setdefault(row["dataset_index"], []).append(row)
        assert row["source_url"].startswith("https://example.org/")
    for members in lists.values():
        lower = members[0]["lower_is_better"]
        best = min(members, key=lambda r: r["score"] if lower else -r["score"])
        assert best["place"] == 1
        assert {r["place_of"] for r in members} == {len(members)}
