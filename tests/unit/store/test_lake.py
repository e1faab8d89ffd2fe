"""The lake: a table is there whole or not at all, and SQL sees what is there."""

import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from modellens_core.errors import ModelLensError
from modellens_core.store import duck, sql
from modellens_core.store.lake import Lake, atomic_path, file_sha256, write_json


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def test_an_error_while_writing_keeps_the_old_file_and_leaves_no_rubbish(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text("old")

    def write_half():
        with atomic_path(path) as tmp:
            tmp.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.parquet"]


def test_a_killed_writer_keeps_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    write_json(path, {"good": 1})
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from modellens_core.store.lake import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as tmp:\n"
        "    tmp.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert '"good": 1' in path.read_text()


def test_one_layer_is_one_schema_and_parts_of_a_layer_are_one_table(lake):
    lake.write("staging/a/reports", pa.table({"x": [1, 2]}))
    lake.write("staging/b/reports", pa.table({"x": [3], "only_b": ["q"]}))
    lake.write("corpus/models", pa.table({"x": [9]}))
    assert lake.query("SELECT sum(x)::INT AS s FROM staging.reports").to_pylist() == [{"s": 6}]
    assert lake.query("SELECT x FROM corpus.models").to_pylist() == [{"x": 9}]
    assert lake.tables() == ["corpus/models", "staging/a/reports", "staging/b/reports"]


def test_a_temporary_file_is_never_taken_for_a_table(lake):
    lake.write("corpus/models", pa.table({"x": [1]}))
    (lake.root / "corpus" / ".models.parquet.1234.tmp").write_bytes(b"half")
    (lake.root / "corpus" / ".other.parquet").write_bytes(b"half")
    assert lake.tables() == ["corpus/models"]


def test_equal_content_is_equal_bytes(lake):
    lake.write("corpus/models", pa.table({"x": list(range(5000))}))
    query = "SELECT x, x % 7 AS k FROM corpus.models ORDER BY k, x"
    first = lake.write_query("corpus/a", query).sha256
    assert lake.write_query("corpus/b", query).sha256 == first


def test_a_missing_table_says_what_to_run(lake):
    with pytest.raises(ModelLensError, match="modellens run"):
        lake.read("corpus/models")


def test_names_with_quotes_are_quoted(tmp_path):
    lake = Lake(tmp_path / "o'brien")
    lake.write("corpus/models", pa.table({"x": [1]}))
    assert lake.query("SELECT x FROM corpus.models").num_rows == 1


def test_a_reader_keeps_the_database_it_opened_while_a_new_one_is_swapped_in(lake, tmp_path):
    target = tmp_path / "corpus.duckdb"
    for generation in (1, 2):
        info = lake.write("corpus/models", pa.table({"x": [generation]}))
        tmp = tmp_path / f"new-{generation}.duckdb"
        duck.write_database(tmp, {"models": info.path}, {"models": "One row."})
        if generation == 1:
            tmp.replace(target)
            continue
        with duck.open_read_only(target) as reader:
            tmp.replace(target)
            assert duck.query(reader, "SELECT x FROM models", {}).to_pylist() == [{"x": 1}]
    with duck.open_read_only(target) as reader:
        assert duck.query(reader, "SELECT x FROM models WHERE x = $x", {"x": 2}).num_rows == 1


def test_the_published_database_cannot_be_written_by_a_query(lake, tmp_path):
    info = lake.write("corpus/models", pa.table({"x": [1]}))
    target = tmp_path / "corpus.duckdb"
    duck.write_database(target, {"models": info.path}, {})
    before = file_sha256(target)
    with duck.open_read_only(target) as reader, pytest.raises(duck.Error):
        duck.query(reader, "DELETE FROM models", {})
    assert file_sha256(target) == before


@pytest.mark.parametrize(
    "folder", ["staging", "corpus", "features", "serving", "checks", "examples"]
)
def test_every_query_says_what_a_row_is_and_reads_tables_of_the_house(folder):
    for name in sql.names(folder):
        assert sql.describe(name), name
        if folder != "examples":
            assert sql.inputs(name), name


def test_sql_folder_is_the_source_trees():
    assert sql.sql_root() == Path(__file__).resolve().parents[3] / "sql"
    assert (sql.sql_root() / "corpus").is_dir()


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "EXPORT DATABASE '{folder}/out'",
        "SELECT * FROM read_text('{folder}/secret.txt')",
        "SET enable_external_access = true",
    ],
)
def test_a_users_query_reaches_nothing_but_the_corpus(lake, tmp_path, statement):
    (tmp_path / "secret.txt").write_text("secret")
    info = lake.write("corpus/models", pa.table({"x": [1]}))
    target = tmp_path / "corpus.duckdb"
    duck.write_database(target, {"models": info.path}, {})
    before = sorted(p.name for p in tmp_path.iterdir())
    with duck.open_read_only(target) as reader, pytest.raises(duck.Error):
        duck.query(reader, statement.format(folder=tmp_path), {})
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_broken_tables_are_found(lake):
    for name in ("corpus/good", "corpus/cut", "staging/hub/replaced"):
        lake.write(name, pa.table({"a": [1, 2]}))
    whole = lake.path("corpus/cut").read_bytes()
    lake.path("corpus/cut").write_bytes(whole[: len(whole) // 2])
    lake.path("staging/hub/replaced").write_text("<html>")
    assert lake.broken() == ["corpus/cut", "staging/hub/replaced"]


def test_asking_the_lake_leaves_no_trace(tmp_path):
    assert Lake(tmp_path / "lake").query("SELECT 1 AS a").to_pylist() == [{"a": 1}]
    assert list(tmp_path.iterdir()) == []
