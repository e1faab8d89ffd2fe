"""Examines the machine: can it build, read its sources, embed texts, and store state?

Each finding says what is there and, where something is missing, what to do. Looks only; installs and
changes nothing, and never prints a key.
"""

import importlib.util
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from modellens_core.config import (
    BronzeReader,
    Profile,
    Settings,
    require_llm_service,
    shown_endpoint,
)
from modellens_core.errors import ModelLensError
from modellens_core.sources.hub.llm.budget import language_model

PACKAGES = (
    "dagster",
    "duckdb",
    "huggingface_hub",
    "openai",
    "pandas",
    "torch",
    "great_expectations",
)
FREE_GIB = 2.0
HUB_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, `missing` (works without it) or `broken`."""

    what: str
    state: str
    detail: str

    def to_dict(self) -> dict[str, str]:
        """Plain data."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything a run needs."""
    return [
        _python(), *(_package(p) for p in PACKAGES), _pip(settings), _disk(settings), _snapshot(settings),
        _hub(settings), _encoder(settings), _openai(settings), _reader(settings), _bundle(settings),
    ]  # fmt: skip


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    detail = sys.version.split()[0] + ("" if good else "; install Python 3.11 or newer")
    return Finding("python", "ok" if good else "broken", detail)


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "broken", "not installed; run `make setup`")


def _pip(settings: Settings) -> Finding:
    if settings.profile is Profile.SNAPSHOT or importlib.util.find_spec("pip") is not None:
        return Finding("pip", "ok", "downloads wheels of the package index")
    return Finding("pip", "broken", f"missing in {sys.prefix}; run `{sys.executable} -m ensurepip`")


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _disk(settings: Settings) -> Finding:
    where = _existing(settings.home.expanduser().resolve())
    free = shutil.disk_usage(where).free / 2**30
    if not where.is_dir() or not os.access(where, os.W_OK):
        return Finding(
            "state folder", "broken", f"{where} is no folder one can write to; set MODELLENS_HOME"
        )
    good = free >= FREE_GIB
    note = (
        "" if good else f"; at least {FREE_GIB:g} GiB are needed, or set MODELLENS_HOME elsewhere"
    )
    return Finding(
        "state folder", "ok" if good else "broken", f"{free:.0f} GiB free at {where}{note}"
    )


def _snapshot(settings: Settings) -> Finding:
    if settings.snapshot_dir is None:
        return Finding("snapshot folder", "missing", "not set; only profile snapshot needs it")
    state = "ok" if settings.snapshot_dir.is_dir() else "broken"
    return Finding("snapshot folder", state, str(settings.snapshot_dir))


def _hub(settings: Settings) -> Finding:
    from huggingface_hub import get_session

    shown = shown_endpoint(settings.hub_endpoint)
    try:
        url = f"{settings.hub_endpoint}/api/models?limit=1"
        code = get_session().get(url, timeout=HUB_TIMEOUT_SECONDS).status_code
    except Exception as error:  # noqa: BLE001 - whatever went wrong, it is reported, with its kind
        return Finding(
            "Hub", "missing",
            f"{shown} does not answer ({type(error).__name__}); "
            "set HF_ENDPOINT to a mirror, or go on without it",
        )  # fmt: skip
    return Finding("Hub", "ok" if code < 400 else "missing", f"{shown}: HTTP {code}")


def _encoder(settings: Settings) -> Finding:
    from modellens_core.features.encoders.select import choose_encoder

    try:
        choice = choose_encoder(settings)
    except ModelLensError as error:
        return Finding("text encoder", "broken", str(error))
    return Finding("text encoder", "ok", f"{choice.encoder.encoder_id}: {choice.note}")


def _openai(settings: Settings) -> Finding:
    if not settings.openai_api_key:
        return Finding("OpenAI key", "missing", "not set; the embedded encoder is used")
    return Finding("OpenAI key", "ok", "set (not shown)")


def _reader(settings: Settings) -> Finding:
    if settings.bronze_reader is BronzeReader.DETERMINISTIC:
        return Finding("README tables", "ok", "read by rules")
    try:
        require_llm_service(settings)
        language_model(settings.llm_model, settings.llm_models_file)
    except ModelLensError as error:
        return Finding("README tables", "broken", str(error))
    limits = f"{settings.llm_max_tokens:,} tokens and ${settings.llm_max_dollars:g} a run"
    return Finding("README tables", "ok", f"read by {settings.llm_model}, at most {limits}")


def _bundle(settings: Settings) -> Finding:
    from modellens_core.serving.bundle import LATEST, latest_bundle

    if not (settings.bundle_dir / LATEST).is_file():
        return Finding("bundle", "missing", "none yet; run `modellens run`")
    try:
        return Finding("bundle", "ok", str(latest_bundle(settings.bundle_dir).path))
    except ModelLensError as error:
        return Finding("bundle", "broken", str(error))
