"""The YAML block at the top of a README, read as people write it.

YAML 1.2 scalars (`no` is Norwegian, dates stay text), tabs and unquoted colons repaired, and a block that
still does not parse costs only itself: the rest of the metadata is kept. Only the safe constructors are
used, on a bounded text with a bounded number of aliases. What the metadata means belongs in the parsers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MAX_CHARACTERS = 2_000_000
MAX_ALIASES = 20  # each may multiply what it stands for
MAX_DEPTH = 40  # the composer recurses in C, where too deep is a crash and no exception
_BLOCK = re.compile(
    r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)(?:\r?\n)?^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE
)
_TOP_KEY = re.compile(r"^[A-Za-z_][\w -]*:", re.MULTILINE)
_SIMPLE = re.compile(r"^(?P<lead>\s*(?:- +)?[\w.@/-]+:[ \t]+)(?P<value>[^\s'\"|>&\[{#].*?)\s*$")
_NOT_TEXT = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Metadata of a README.

    Attributes:
        data: top-level keys that could be read.
        broken: top-level keys that could not, or `("",)` if nothing could.
        body: the README after the block.
    """

    data: dict[str, Any]
    broken: tuple[str, ...]
    body: str


class _Loader(yaml.CSafeLoader):
    """A safe loader that joins the lists of a repeated key, where plain YAML keeps only the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001 - PyYAML's signature
        self.flatten_mapping(node)
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict):
                key = str(key)  # "{placeholder}: 1" is a mapping as a key
            value = self.construct_object(value_node, deep=deep)
            earlier = mapping.get(key)
            if isinstance(earlier, list) and isinstance(value, list):
                value = earlier + value
            mapping[key] = value
        return mapping


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in found if tag.endswith((":null", ":merge"))]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
# Longer digit strings are hashes, and Python refuses to convert the longest ones.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]{1,18}$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:[0-9]{1,30}\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?[0-9]{1,30}[eE][-+]?[0-9]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)


def split_front_matter(readme: str) -> tuple[str, str]:
    """The YAML text (empty if there is none) and the README below it."""
    match = _BLOCK.match(readme)
    if match is None or (match[1].strip() and not _TOP_KEY.search(match[1])):
        return "", readme  # nothing, or prose between two rules
    return match[1], readme[match.end() :]


def read_front_matter(readme: str) -> FrontMatter:
    """Read the metadata of a README.

    Args:
        readme: the whole file.

    Returns:
        What could be read, what could not, and the text below. No metadata gives empty `data`.
    """
    text, body = split_front_matter(readme)
    if len(text) > MAX_CHARACTERS:
        return FrontMatter({}, ("",), body)
    whole = _load(text)
    if whole is None:
        whole = _load(_repaired(text))
    if whole is not None:
        return FrontMatter(whole, (), body)
    data: dict[str, Any] = {}
    broken: list[str] = []
    for key, block in _blocks(_repaired(text)):
        part = _load(block)
        if part is None:
            broken.append(key)
        else:
            data.update(part)
    return FrontMatter(data, tuple(broken), body)


def _check_bounds(text: str) -> None:
    """Look at the parser's events, before anything is built from them.

    Raises:
        yaml.YAMLError: too deep, too many aliases, or no YAML.
    """
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH or aliases > MAX_ALIASES:
            raise yaml.YAMLError("nested too deeply, or too many aliases")


def _load(text: str) -> dict[str, Any] | None:
    """A mapping, or None where the text is something else."""
    try:
        _check_bounds(text)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if data is None:
        return {}  # comments only
    return {str(k): v for k, v in data.items()} if isinstance(data, dict) else None


def _repaired(text: str) -> str:
    """Tabs become blanks, unreadable characters go, values that hold a colon or start oddly get quotes."""
    lines = []
    for line in _NOT_TEXT.sub("", text).replace("\t", "  ").splitlines():
        simple = _SIMPLE.match(line)
        value = simple["value"] if simple is not None else ""
        if simple is not None and (value[0] in "@`%*!" or ": " in value or value.endswith(":")):
            quoted = value.replace("'", "''")
            lines.append(f"{simple['lead']}'{quoted}'")
        else:
            lines.append(line)
    return "\n".join(lines)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Top-level keys with everything indented below them."""
    starts = [m.start() for m in _TOP_KEY.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        block = text[start:end]
        yield block.partition(":")[0], block
