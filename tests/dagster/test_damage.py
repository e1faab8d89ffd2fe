"""What cannot be read is taken out of the lake; what cannot be built again is kept beside it."""

import pyarrow as pa

from modellens_core.store.lake import Lake
from pipelines.damage import discard_broken_tables


def files(folder):
    return {p.name for p in folder.iterdir()}


def test_a_broken_table_goes_for_the_run_to_build_it_again(settings):
    lake = Lake(settings.lake_dir)
    lake.write("corpus/records", pa.table({"a": [1]}))
    lake.write("corpus/models", pa.table({"a": [1]}))
    lake.path("corpus/models").write_bytes(b"PAR1 and nothing more")
    assert discard_broken_tables(settings) == ["corpus/models cannot be read and is built again"]
    assert files(lake.root / "corpus") == {"records.parquet"}
    assert discard_broken_tables(settings) == []


def test_broken_history_is_set_aside_and_the_line_says_where(settings):
    lake = Lake(settings.lake_dir)
    path = lake.path("staging/hub_gold/closed")
    for content in (b"the first", b"the second"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        [line] = discard_broken_tables(settings)
        [aside] = [p for p in path.parent.iterdir() if p.read_bytes() == content]
        assert str(aside) in line
        assert "backup" in line
        assert aside.name.startswith("closed.parquet.broken-")
        assert lake.tables() == []
    assert len(files(path.parent)) == 2
