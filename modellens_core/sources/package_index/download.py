"""Gets one wheel through pip, checks its hash, and keeps it under that hash.

pip does the talking, so the user's index, proxy, certificates and mirrors apply as they do elsewhere;
nothing is installed. A wheel is in the cache whole and checked, or not at all. Opening it belongs in
`archive.py`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import tenacity

from modellens_core.errors import ModelLensError, SourceCorruptError, SourceUnreachableError
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.store.lake import file_sha256, write_json

TRIES = 3
RETRY_WAIT = tenacity.wait_exponential_jitter(initial=1, max=8)
PIP_TIMEOUT_SECONDS = 600.0

_RECEIPT = "receipt.json"
_NETWORK_TROUBLE = re.compile(
    r"Retrying \(|Connection(?:Error| broken| reset| refused| aborted)|NewConnectionError|timed out"
    r"|ProxyError|SSLError|Name or service not known|Temporary failure|IncompleteRead"
    r"|[Ii]ncomplete ?[Dd]ownload|not enough bytes|HTTP error 5\d\d|Max retries|ProtocolError|Could not fetch URL"
)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
_QUERY = re.compile(r"(https?://[^\s?]+)\?\S+")


class _TransientError(SourceUnreachableError):
    """The network failed; asking again may help."""


@dataclass(frozen=True, slots=True)
class CachedWheel:
    """A wheel on disk whose bytes are the pinned ones."""

    path: Path
    retrieved_at: datetime  # when it was first downloaded, UTC
    requests: int  # how often pip was asked; 0 if it was in the cache


def fetch(wheel: Wheel, cache: Path, tries: int = TRIES) -> CachedWheel:
    """Return a wheel from the cache, downloading it first if it is not there.

    Args:
        wheel: what to get; its SHA-256 names its folder in the cache.
        cache: folder of all cached wheels; need not exist.
        tries: how often to ask when the network fails.

    Raises:
        SourceCorruptError: the index serves other bytes than the pinned ones.
        SourceUnreachableError: pip is missing, the network is down, or the index lacks the wheel.
    """
    folder = cache / wheel.sha256
    if kept := _kept(wheel, folder):
        return kept
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_TransientError),
        stop=tenacity.stop_after_attempt(tries),
        wait=RETRY_WAIT,
        reraise=True,
    )
    cache.mkdir(parents=True, exist_ok=True)
    retrying(_download, wheel, folder)
    kept = _kept(wheel, folder)
    if kept is None:
        raise SourceCorruptError(f"{wheel.file} changed on disk while it was stored; run again")
    return CachedWheel(kept.path, kept.retrieved_at, retrying.statistics["attempt_number"])


def _kept(wheel: Wheel, folder: Path) -> CachedWheel | None:
    """The cached wheel; a folder that is damaged in any way is removed and counts as absent."""
    path, receipt = folder / wheel.file, folder / _RECEIPT
    if not folder.exists():
        return None
    try:
        if file_sha256(path) == wheel.sha256:
            when = json.loads(receipt.read_text(encoding="utf-8"))["retrieved_at"]
            return CachedWheel(path, datetime.fromisoformat(when), requests=0)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass  # same as a wrong hash: fetched anew below
    shutil.rmtree(folder)
    return None


def _download(wheel: Wheel, folder: Path) -> None:
    """Download into a folder of its own; it gets its final name only when everything in it is right."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-", suffix=".tmp") as tmp:
        requirements = Path(tmp) / "requirements.txt"
        pin = f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n"
        requirements.write_text(pin, encoding="utf-8")
        complete = Path(tmp) / wheel.sha256
        _run_pip(wheel, requirements, complete)
        path = complete / wheel.file
        if not path.is_file() or file_sha256(path) != wheel.sha256:
            raise SourceCorruptError(
                f"{wheel.package} {wheel.version}: pip brought another file than {wheel.file}; "
                "check which index pip is configured to use"
            )
        write_json(complete / _RECEIPT, {"retrieved_at": datetime.now(UTC).isoformat()})
        try:
            complete.rename(folder)
        except OSError:
            # Another process stored the same wheel in the meantime; hashes make them the same.
            if not folder.is_dir():
                raise


def _run_pip(wheel: Wheel, requirements: Path, destination: Path) -> None:
    # -P keeps a file named pip.py in the current folder from being run in pip's place.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
               "--require-hashes", "--ignore-requires-python", "--progress-bar", "off",
               "--retries", "1", "--dest", str(destination), "--requirement", str(requirements)]  # fmt: skip
    if wheel.platform is not None:
        for option, value in wheel.platform.model_dump().items():
            command += [f"--{option.replace('_', '-')}", value]
    # The user's constraints are about what is installed, and a constraint without a hash stops pip here.
    environment = os.environ | {
        "PIP_CONSTRAINT": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "NO_COLOR": "1",
    }  # fmt: skip
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PIP_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _TransientError(
            f"{wheel.package}: pip did not finish in {PIP_TIMEOUT_SECONDS:.0f} s; check the network"
        ) from None
    if done.returncode != 0:
        raise explain(wheel, f"{done.stdout}\n{done.stderr}")


def explain(wheel: Wheel, output: str) -> ModelLensError:
    """Turn what a failed pip printed into one line that says what to do, free of credentials."""
    name = f"{wheel.package} {wheel.version}"
    if "No module named pip" in output:
        return SourceUnreachableError(
            f"{name}: this Python has no pip; run `{sys.executable} -m ensurepip --upgrade`"
        )
    if "DO NOT MATCH THE HASHES" in output:
        return SourceCorruptError(
            f"{name}: the index serves {wheel.file} with another SHA-256 than the pinned one; "
            "nothing was kept. Check the mirror, or update wheels.toml if the change is known"
        )
    if _NETWORK_TROUBLE.search(output):
        return _TransientError(
            f"{name}: the package index did not answer ({last_line(output)}); "
            "check the network, proxy and index settings of pip"
        )
    if "No matching distribution found" in output:
        return SourceUnreachableError(
            f"{name}: the package index does not offer {wheel.file}; check pip's index settings"
        )
    return SourceUnreachableError(f"{name}: pip failed: {last_line(output)}")


def last_line(output: str) -> str:
    """The last line of pip's output that says something, without user names, passwords and tokens."""
    lines = [line.strip() for line in output.splitlines()]
    useful = (
        [x for x in lines if x.startswith("ERROR:")] or [x for x in lines if x] or ["no output"]
    )
    line = useful[-1].removeprefix("ERROR:").strip()
    return _QUERY.sub(r"\1", _USER_INFO.sub("", line))[:300]
