"""What the terminal says of the evaluation."""

from io import StringIO

from rich.console import Console

from modellens_core.evaluation.ranker_method import CONTROL
from pipelines.display import show_evaluation


def test_the_control_is_not_shown_as_if_it_were_a_method():
    row = {"mean": 0.5, "low": 0.4, "high": 0.6, "n_groups": 9, "n_families": 3}
    console = Console(file=StringIO(), width=120)
    show_evaluation(console, {"completion": {"modellens": row, CONTROL: row}})
    said = console.file.getvalue()
    assert f"{CONTROL} (control)" in said
    assert "modellens (control)" not in said
