"""Composed texts say what is known, in few words, and nothing about what is not."""

from hypothesis import given
from hypothesis import strategies as st

from modellens_core.features.text import (
    compose_dataset_text,
    compose_model_text,
    compose_query_text,
)


def test_model_text_says_what_is_known():
    text = compose_model_text(
        "acme/bert-base-sst2",
        task="text-classification",
        family="bert",
        languages=("en",),
        trained_on=("glue/sst2", "imdb", "yelp"),
        base_model="google/bert-base-uncased",
        description="# Card\n\nMore information needed.\n\nIt achieves 92%. Decides whether a review is kind or not. More.",
    )
    assert text == (
        "text-classification model bert-base-sst2, bert family, English, trained on sst2, imdb, "
        "based on bert-base-uncased. Decides whether a review is kind or not."
    )


def test_unknown_facts_are_left_out():
    assert compose_model_text("acme/resnet50", family="unknown") == "model resnet50"
    assert compose_dataset_text("squad_v2", None, None, None, (), None) == "dataset squad v2"


def test_model_without_a_readable_name_still_has_a_text():
    assert compose_model_text("acme/92.1", task="summarization").startswith("summarization model")


def test_dataset_text_names_the_family_only_where_the_id_does_not():
    same = compose_dataset_text(
        "glue/sst2", "glue", "text-classification", "text", ("en",), "Kind or not."
    )
    assert same == "text-classification dataset glue sst2, text, English. Kind or not."
    other = compose_dataset_text("lambada", "word-prediction", None, None, (), None)
    assert other == "dataset lambada (word-prediction)"


def test_many_languages_become_one_word():
    assert "multilingual" in compose_model_text("a/b", languages=("en", "de", "fr", "it"))


def test_query_has_the_form_of_a_dataset_text():
    query = compose_query_text("Radiology reports; 5,000 of them.", "summarization")
    assert query == "summarization dataset. Radiology reports; of them."
    assert compose_query_text("92.1 | 93", "summarization") == ""


@given(st.text(max_size=3000))
def test_texts_stay_short(description):
    model = compose_model_text("org/some-model-7b", task="text-generation", description=description)
    dataset = compose_dataset_text(
        "squad_v2", "squad", "question-answering", "text", ("en",), description
    )
    assert len(model.split()) <= 20
    assert len(dataset.split()) <= 45
    assert len(dataset) <= 500


def test_a_name_that_ends_in_a_number_is_no_repository_path():
    assert compose_model_text("ViT-B/16") == "model ViT-B 16"
    assert compose_model_text("acme/ViT-B") == "model ViT-B"
