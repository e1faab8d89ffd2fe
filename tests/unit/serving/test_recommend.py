"""The whole interface, on the planted world: lists, scores, reasons, refusals."""

import json
import subprocess
import sys

import numpy as np
import pytest

from modellens_core.errors import ModelLensError, UnknownNameError
from modellens_core.features.encoders.base import EncoderError
from modellens_core.features.encoders.hashing import HashingEncoder
from modellens_core.features.featureset import FeatureSet
from modellens_core.ranking.artifact import load_ranker
from modellens_core.serving import Answer, Recommender

ASK = {"description": "News to sort by mood", "task": "text-classification", "metric": "accuracy"}


def test_importing_serving_loads_neither_torch_nor_an_encoder():
    code = (
        "import sys, modellens_core.serving as s; s.Recommender; s.Answer; "
        "bad = {'torch', 'sklearn', 'sentence_transformers', 'openai'} & set(sys.modules); sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_list_is_sorted_and_its_scores_are_those_of_score(recommender):
    answer = recommender.recommend(**ASK, top=7)
    assert isinstance(answer, Answer)
    assert len(answer) == len(list(answer)) == 7
    assert answer[0].score >= answer[6].score
    scores = [r.score for r in answer]
    assert scores == sorted(scores, reverse=True)
    again = recommender.score(**ASK, models=[r.model_id for r in answer])
    assert again == pytest.approx(scores, abs=1e-4)
    for r in answer:
        assert r.prior + r.residual == pytest.approx(r.score, abs=1e-4)
    best = max(recommender.score(**ASK, models=recommender._loaded.models["model_id"].to_pylist()))
    assert answer[0].score == pytest.approx(best, abs=1e-4)


def test_batch_equals_single_for_known_and_unknown_models(recommender, published):
    names = [*published.world.model_ids[:4], "new/bert-7b", "org0/whisper-tiny-x", "mystery"]
    together = recommender.score(**ASK, models=names)
    alone = [recommender.score(**ASK, models=[name])[0] for name in names]
    assert together == pytest.approx(alone, abs=1e-4)
    assert recommender.score(**ASK, models=names[::-1]) == pytest.approx(together[::-1], abs=1e-4)
    assert recommender.score(**ASK, models=[]) == []


def test_known_models_are_found_in_any_case(recommender, published):
    name = published.world.model_ids[0]
    assert recommender.score(**ASK, models=[name, name.upper()]) == pytest.approx(
        recommender.score(**ASK, models=[name]) * 2
    )


def test_the_first_model_is_known_too(recommender):
    first = recommender._loaded.models["model_id"][0].as_py()
    assert recommender._loaded.row_of(first) == 0


def test_an_unknown_model_is_judged_by_its_name(recommender, published):
    features = FeatureSet.load(published.lake)
    ranker, _ = load_ranker(published.ranker_dir)
    name = "somebody/llama-13b-chat"
    seen = {}
    original = ranker.candidates

    def spy(given, known=None):
        seen.update(features=given, known=known)
        return original(given, known)

    loaded = Recommender.load(published.path)
    loaded._loaded.__dict__["ranker"] = ranker
    ranker.candidates = spy
    scores = loaded.score(
        **ASK, models=[name, "somebody/bert-13b-chat", "somebody/llama-0.1b-chat"]
    )
    given = seen["features"]
    assert not seen["known"].any()
    assert given.log10_params[0] == pytest.approx(np.log10(13) + 9, abs=1e-4)
    assert features.families[given.family[0]] == "llama"
    assert (given.name_tokens[0] > 0).sum() == 5
    assert np.allclose(np.linalg.norm(given.model_vectors, axis=1), 1, atol=1e-5)
    assert len(set(np.round(scores, 4))) == 3  # size and family count


def test_task_and_metric_are_inferred_and_it_is_said(recommender, published):
    wanted = published.world.datasets[6]  # speech
    answer = recommender.recommend(description=wanted["description"])
    assert (answer.task_id, answer.metric_id) == ("automatic-speech-recognition", "wer")
    assert answer.task_inferred
    assert answer.metric_inferred
    assert any("task automatic-speech-recognition was inferred" in note for note in answer.notes)
    given = recommender.recommend(
        description=wanted["description"], task="automatic-speech-recognition", metric="wer"
    )
    assert not given.task_inferred
    assert not any("inferred" in note for note in given.notes)
    assert [r.model_id for r in given] == [r.model_id for r in answer]


def test_reasons_are_real_scores_on_the_nearest_datasets(recommender, published):
    world = published.world
    wanted = world.datasets[6]
    answer = recommender.recommend(description=wanted["description"], top=40)
    ids = [d["id"] for d in world.datasets]
    assert answer.nearest[0].dataset_id.startswith(f"planted/{wanted['family']}")
    assert answer.nearest_similarity == pytest.approx(answer.nearest[0].similarity, abs=1e-3)
    shown = 0
    for r in answer:
        model = world.model_ids.index(r.model_id)
        similarities = [e.similarity for e in r.evidence]
        assert similarities == sorted(similarities, reverse=True)
        assert len({e.dataset_id for e in r.evidence}) == len(r.evidence) <= 3
        for e in r.evidence:
            dataset = ids.index(e.dataset_id)
            assert world.observed[model, dataset]
            assert e.score == pytest.approx(world.score(model, dataset) / 100)
            assert e.source_url == f"https://example.org/{r.model_id}/{e.dataset_id}"
            assert 1 <= e.place <= e.place_of
            shown += 1
    assert shown > 80


def test_a_strange_description_is_called_out(recommender, published):
    familiar = recommender.recommend(description=published.world.datasets[0]["description"])
    assert not familiar.out_of_domain
    strange = recommender.recommend(description="zqx wvk jjyh", task="summarization")
    assert strange.out_of_domain
    assert strange.nearest_similarity < strange.similarity_floor < familiar.nearest_similarity
    assert any("far away" in note for note in strange.notes)


def test_limits_hold_and_an_empty_list_says_why(recommender):
    answer = recommender.recommend(
        **ASK, top=40, max_params_b=2, license="apache", families=["bert", "qwen"]
    )
    assert 0 < len(answer) < 40
    for r in answer:
        assert r.params_b <= 2
        assert r.license == "apache-2.0"
        assert r.family in {"bert", "qwen"}
    everyone = recommender.recommend(**ASK, top=100)
    allowed = [
        r.model_id for r in everyone
        if r.params_b <= 2 and r.license == "apache-2.0" and r.family in {"bert", "qwen"}
    ]  # fmt: skip
    assert [r.model_id for r in answer] == allowed
    nothing = recommender.recommend(**ASK, max_params_b=1e-9)
    assert list(nothing) == []
    assert any("loosen" in note for note in nothing.notes)


def test_answers_are_json(recommender):
    answer = recommender.recommend(**ASK, top=3)
    back = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert [r["model_id"] for r in back["recommendations"]] == [r.model_id for r in answer]
    assert back["recommendations"][0]["evidence"][0]["source_url"]
    assert (
        json.loads(json.dumps(answer[0].to_dict(), allow_nan=False)) == back["recommendations"][0]
    )


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ("", "is empty: write"),
        ("  \n\t ", "is empty: write"),
        ("92.1 | 0.5 %", "holds no words"),
        ("1234 5678", "holds no words"),
        ("😀🎉 👩‍👩‍👧", "holds no words"),
        ("... --- !!!", "holds no words"),
        ("https://example.org/data", "holds no words"),
    ],
)
def test_a_description_without_words_is_refused(recommender, description, says):
    for ask in (
        lambda: recommender.recommend(description=description),
        lambda: recommender.recommend(description=description, task="summarization"),
        lambda: recommender.score(description=description, models=["a/b"]),
    ):
        with pytest.raises(ModelLensError, match=f"the description {says}") as refused:
            ask()
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "description",
    [
        "😀 reviews of films 🎬",
        "обзоры новых фильмов",
        "映画のレビュー",
        "مراجعات الأفلام",
        "समीक्षाएँ",
        "2024 news",
    ],
)
def test_words_of_any_script_will_do(recommender, description):
    assert len(recommender.recommend(description=description, top=1)) == 1


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"metric": "acuracy"}, UnknownNameError, "accuracy"),
        ({"task": "sumarization"}, UnknownNameError, "summarization"),
        ({"top": 0}, ModelLensError, "at least one"),
        ({"candidates": "some"}, ModelLensError, "'task' or 'all'"),
        ({"min_params_b": 3, "max_params_b": 2}, ModelLensError, "swap"),
        ({"top": -3}, ModelLensError, "top is -3; ask for at least one"),
        ({"top": 2.5}, ModelLensError, "whole numbers"),
        ({"max_params_b": float("nan")}, ModelLensError, "max_params_b is nan; give a size"),
        ({"max_params_b": float("inf")}, ModelLensError, "leave it out for no limit"),
        ({"max_params_b": -1}, ModelLensError, "above 0"),
        ({"max_params_b": 0}, ModelLensError, "above 0"),
        ({"min_params_b": float("nan")}, ModelLensError, "min_params_b is nan; give a size"),
        ({"min_params_b": -2.0}, ModelLensError, "0 or more"),
        ({"license": " "}, ModelLensError, "license is empty; give part"),
        ({"license": []}, ModelLensError, "license is empty; give part"),
        ({"license": ["mit", ""]}, ModelLensError, "license is empty; give part"),
        ({"families": "bert"}, ModelLensError, "give a list"),
        ({"families": []}, ModelLensError, "families is empty"),
        ({"task": ""}, ModelLensError, "task is empty; name one"),
        ({"metric": "  "}, ModelLensError, "metric is empty; name one"),
    ],
)
def test_mistakes_are_one_clear_line(recommender, wrong, error, says):
    with pytest.raises(error, match=says):
        recommender.recommend(**{**ASK, **wrong})


@pytest.mark.parametrize(
    ("models", "says"),
    [
        (["a/b", " "], "model name is empty"),
        ("bert", r"give a list of names: \['bert'\]"),
        (["a/b", "c/d", "a/b "], "models names a/b more than once"),
    ],
)
def test_unusable_lists_of_models_are_refused(recommender, models, says):
    with pytest.raises(ModelLensError, match=says):
        recommender.score(**ASK, models=models)


def test_no_lower_limit_may_be_said_as_nought(recommender):
    assert len(recommender.recommend(**ASK, min_params_b=0, top=1)) == 1


def test_another_encoder_is_never_used_in_place_of_the_right_one(published, tmp_path, monkeypatch):
    from modellens_core.config import Settings
    from modellens_core.features.encoders.select import encoder_for
    from modellens_core.features.featureset import EncoderInfo

    settings = Settings(_env_file=None, openai_api_key=None)
    right = HashingEncoder(64)
    info = EncoderInfo(right.encoder_id, right.weights_hash, 64)
    assert encoder_for(info, settings).weights_hash == right.weights_hash
    with pytest.raises(EncoderError, match="restore it"):
        encoder_for(EncoderInfo("hashing-64", "0" * 64, 64), settings)
    with pytest.raises(EncoderError, match="OPENAI_API_KEY"):
        encoder_for(EncoderInfo("text-embedding-3-small", "0" * 64, 1536), settings)


def test_ranking_all_models_ignores_what_they_are_known_for(recommender):
    answer = recommender.recommend(**ASK, candidates="all", top=3)
    assert answer.n_candidates == 40
