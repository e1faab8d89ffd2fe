"""What a language model is asked to give back for one table, and the same as a strict JSON schema.

The answer is text only: it names, in the table's words, what each value is. Numbers are not parsed here
and nothing is believed here; both happen in `check.py`.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field


class Result(BaseModel):
    """One reported value."""

    # Every field is required and nothing else is allowed: what `strict` asks of a schema.
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        description="The evaluated model's name as written in the table; null where the table means "
        "the model this document is about without naming it."
    )
    dataset: str | None = Field(
        description="The dataset or benchmark as written, subset included; null if nothing names it."
    )
    metric: str | None = Field(description="The metric as written; null if nothing names it.")
    value: str = Field(description="The value exactly as written in its cell.")
    split: str | None = Field(
        description="The split (test, validation) as written; null if unsaid."
    )
    notes: str | None = Field(
        description="Further conditions as written, such as '5-shot' or 'with LM'; null if none."
    )


class TableAnswer(BaseModel):
    """All results of one table; empty for a table that reports none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    results: list[Result]


SCHEMA: Final[dict[str, Any]] = TableAnswer.model_json_schema()
