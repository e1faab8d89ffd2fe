"""Asking the corpus: what comes back is distinct and strict, what cannot be asked is one clear line."""

import json

import pytest
from typer.testing import CliRunner

from modellens_core.errors import ModelLensError
from modellens_core.store import duck
from pipelines.cli import app
from pipelines.queries import run_query


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "quickstart" / "corpus.duckdb"
    path.parent.mkdir()
    duck.write_database(path, {}, {})
    return path


@pytest.fixture
def ask(database, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELLENS_HOME", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(app, ["query", *arguments])


@pytest.mark.parametrize("statement", ["", "  ", ";", "-- nothing"])
def test_an_empty_query_is_refused_clearly(database, statement):
    with pytest.raises(ModelLensError, match="query is empty"):
        run_query(database, statement, [])


def test_one_statement_at_a_time(database):
    with pytest.raises(ModelLensError, match="one statement at a time"):
        run_query(database, "SELECT 1; SELECT 2", [])
    one = run_query(database, "SELECT ';' AS a; -- that was all\n", [])
    assert one.to_pylist() == [{"a": ";"}]


def test_columns_of_one_name_stay_apart(database):
    rows = run_query(database, "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a", [])
    assert rows.to_pylist() == [{"a": 1, "a_3": 2, "a_2": 3, "a_4": 4}]


def test_json_is_strict(ask):
    result = ask("SELECT 'nan'::DOUBLE AS a, '-inf'::FLOAT AS b, ['nan'::DOUBLE] AS c", "--json")
    assert result.exit_code == 0, result.output

    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(result.stdout, parse_constant=refuse)
    assert found == [{"a": None, "b": None, "c": [None]}]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sum(x::BIGINT) FROM range(3) t(x)", 3),
        ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1),
        ("12345678901234567890::UBIGINT", 12345678901234567890),
        ("0.5", 0.5),
        ("(-0.25)::DECIMAL(10, 2)", -0.25),
        ("8::DECIMAL(10, 2)", 8.0),
        ("[1.5, NULL]", [1.5, None]),
        ("{'a': 1.5, 'b': '\\xFF\\x00'::BLOB}", {"a": 1.5, "b": "/wA="}),
        ("'text'::BLOB", "dGV4dA=="),
        ("DATE '2026-01-02'", "2026-01-02"),
        ("true", True),
    ],
)
def test_json_numbers_are_numbers_and_bytes_are_base64(ask, expression, value):
    head, sign, tail = expression.partition(" FROM ")
    result = ask(f"SELECT {head} AS a{sign}{tail}", "--json")
    assert result.exit_code == 0, result.output
    [row] = json.loads(result.stdout)
    assert row == {"a": value}
    assert type(row["a"]) is type(value)


def test_a_database_that_is_none_is_one_clear_line(database, ask):
    database.write_bytes(b"garbage" * 1000)
    result = ask("SELECT 1 AS a")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error:")
    assert "corpus.duckdb" in result.stderr
    assert "modellens run" in result.stderr
