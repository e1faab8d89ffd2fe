"""Parses YAML from outside: safe loader only, the C one where it is built, all failures one error.

What the document should look like is each reader's business.
"""

from typing import Any

import yaml

MAX_DEPTH = 100  # real files nest seven deep

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class MalformedYamlError(ValueError):
    """The text is not YAML, or no YAML that anybody writes; the message is one line."""


def load_yaml(text: str) -> Any:
    """Parse one YAML document.

    Raises:
        MalformedYamlError: the text cannot be parsed, nests too deep, or has anchors that refer to
            themselves or to one another.
    """
    try:
        _require_plain(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2021-02-30
        raise MalformedYamlError(str(error).splitlines()[0]) from error


def _require_plain(text: str) -> None:
    """Refuse what brings a loader down: the C one builds nodes recursively and ends in a crash.

    Anchors within anchors are how a few lines become gigabytes, or a structure without end.
    """
    anchored: list[bool] = []
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            anchored.append(event.anchor is not None)
            if len(anchored) > MAX_DEPTH:
                raise MalformedYamlError(f"nested more than {MAX_DEPTH} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()
        elif isinstance(event, yaml.AliasEvent) and any(anchored):
            raise MalformedYamlError("an anchor refers to another one or to itself")
