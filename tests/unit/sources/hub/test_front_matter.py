import pytest
from hypothesis import given
from hypothesis import strategies as st

from modellens_core.sources.hub.front_matter import read_front_matter


def data(text):
    return read_front_matter(f"---\n{text}\n---\nbody\n").data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("language: no", {"language": "no"}),
        ("date: 2024-01-31", {"date": "2024-01-31"}),
        ("time: 12:30", {"time": "12:30"}),
        ("value: 1e-3", {"value": 0.001}),
        ("on: true", {"on": True}),
        ("name: Speech: a model", {"name": "Speech: a model"}),
        ("owner: @lab\nname: *bold*", {"owner": "@lab", "name": "*bold*"}),
        ("a:\n\t- x", {"a": ["x"]}),
        ("name: a\nname: b", {"name": "b"}),
        ("tags: [a]\ntags: [b]", {"tags": ["a", "b"]}),
        ("# nothing", {}),
        ("bell: a\x07b", {"bell": "ab"}),
    ],
)
def test_what_people_write(text, expected):
    assert data(text) == expected


def test_a_broken_block_costs_only_itself():
    matter = read_front_matter(
        "---\nlicense: mit\ntags: [a\nmodel-index:\n- name: m\n---\n# Title\n"
    )
    assert matter.data == {"license": "mit", "model-index": [{"name": "m"}]}
    assert matter.broken == ("tags",)
    assert matter.body == "# Title\n"


@pytest.mark.parametrize(
    "readme", ["", "# Title", "---\n\n---\nrule", "---\njust prose\n---\n", "---\nno end: 1\n"]
)
def test_no_metadata(readme):
    matter = read_front_matter(readme)
    assert (matter.data, matter.broken) == ({}, ())


def test_aliases_cannot_multiply():
    levels = "\n".join(f"k{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]" for i in range(9))
    matter = read_front_matter(f"---\nk0: &a0 [x]\n{levels}\n---\n")
    assert "k9" not in matter.data
    assert "k9" in matter.broken


@pytest.mark.parametrize(
    "bomb", ["a: " + "[" * 50_000, "a: " + "{" * 50_000, "a:\n" + "- " * 50_000 + "x"]
)
def test_depth_is_bounded(bomb):
    assert data(bomb) == {}


def test_only_plain_data_is_built():
    matter = read_front_matter("---\nx: !!python/object/apply:os.getcwd []\nlicense: mit\n---\n")
    assert matter.data == {"license": "mit", "x": "!!python/object/apply:os.getcwd []"}


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`, \n\t0.1", max_size=80))
def test_total(text):
    read_front_matter(f"---\n{text}\n---\n")
