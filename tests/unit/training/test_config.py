"""Recipes are checked key by key; the paper's constants are the paper's."""

import pytest

from modellens_core.errors import ConfigError
from modellens_core.training.config import (
    config_from_dict,
    config_names,
    load_config,
    parse_override,
)


def test_shipped_recipes_load_and_round_trip():
    assert config_names() == ["default", "paper"]
    for name in config_names():
        config = load_config(name)
        assert config.name == name
        assert config_from_dict(config.to_dict()) == config


def test_paper_constants():
    paper = load_config("paper")
    assert (paper.listwise, paper.pairwise, paper.pointwise) == (0.5, 1.0, 0.1)
    assert (paper.learning_rate, paper.weight_decay, paper.clip_norm) == (1e-3, 1e-4, 5.0)
    assert (paper.feed.lists_per_step, paper.feed.pairs_per_step, paper.patience) == (8, 1024, 20)
    net = paper.ranker
    widths = (net.model_id, net.name, net.size, net.family, net.dataset_id, net.task, net.metric)
    assert widths == (1536, 512, 64, 64, 256, 256, 256)
    assert sum(widths) + 2 * 1536 == 6016
    assert (net.hidden, net.dropout, net.temperature) == (512, 0.02, 10.0)
    assert (net.model_id_dropout, net.dataset_id_dropout) == (0.1, 0.1)


def test_overrides_reach_nested_keys():
    config = load_config("default", {"ranker.hidden": 17, "feed.list_cap": None, "max_epochs": 2})
    assert (config.ranker.hidden, config.feed.list_cap, config.max_epochs) == (17, None, 2)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"learnign_rate": 1}, "'learnign_rate' is unknown; did you mean learning_rate"),
        ({"hidden": 64}, "did you mean ranker.hidden"),
        ({"ranker.dropuot": 0.1}, "did you mean ranker.dropout"),
        ({"rankr.dropout": 0.1}, "did you mean ranker.dropout"),
        ({"qqqq": 1}, "known keys: name, ranker"),
        ({"max_epochs": 0}, "'max_epochs': Input should be greater than or equal to 1"),
        ({"learning_rate": "fast"}, "'learning_rate': Input should be a valid number"),
        ({"ranker.dropout": 1.5}, "'ranker.dropout': Input should be less than 1"),
        ({"ranker.hidden": -4}, "'ranker.hidden'"),
        ({"feed.pairs_per_step": -1}, "'feed.pairs_per_step'"),
        ({"ranker": 3}, "'ranker'"),
    ],
)
def test_what_is_wrong_is_named(override, message):
    with pytest.raises(ConfigError, match=message):
        load_config("default", override)


def test_files_that_are_no_recipe(tmp_path):
    with pytest.raises(ConfigError, match="give one of default, paper"):
        load_config("defualt")
    path = tmp_path / "mine.yaml"
    path.write_text("a: [")
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(path)
    path.write_text("- 1")
    with pytest.raises(ConfigError, match="keys and values"):
        load_config(path)
    path.write_text("name: mine")
    with pytest.raises(ConfigError, match="'ranker': Field required"):
        load_config(path)


def test_overrides_on_the_command_line():
    assert parse_override("ranker.dropout=0.2") == ("ranker.dropout", 0.2)
    assert parse_override("feed.list_cap=null") == ("feed.list_cap", None)
    for text in ("max_epochs", "a=[1"):
        with pytest.raises(ConfigError, match="--set"):
            parse_override(text)
