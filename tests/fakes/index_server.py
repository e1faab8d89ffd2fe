"""A package index on loopback, and wheels to put on it.

Speaks PEP 503 (HTML) and PEP 691 (JSON), so that the genuine pip downloads from it; can be told to fail
in the ways real ones do. Wheels are built here with fixed times: the same files give the same bytes.
`model_zoo_wheel` packs the planted world as OpenMMLab-style metafiles. No assertions belong here.
"""

import base64
import hashlib
import io
import json
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import yaml

from modellens_core.schema import ModelFact, Report
from modellens_core.sources.package_index.catalogue import Wheel
from tests.fakes.world import World

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


def build_wheel(package: str, version: str, files: Mapping[str, str | bytes]) -> bytes:
    """A valid pure-Python wheel: the given files plus METADATA, WHEEL and RECORD."""
    info = f"{package.replace('-', '_')}-{version}.dist-info"
    members = dict(files)
    members.setdefault(
        f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    )
    members[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = ""
    for name, content in members.items():
        data = content.encode() if isinstance(content, str) else content
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    members[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def wheel_entry(package: str, version: str, data: bytes, **fields: object) -> Wheel:
    """The catalogue entry of a wheel built here."""
    return Wheel.model_validate(
        {
            "package": package,
            "version": version,
            "file": f"{package.replace('-', '_')}-{version}-py3-none-any.whl",
            "sha256": hashlib.sha256(data).hexdigest(),
            "reader": "metafiles",
            "source": "openmmlab",
            "licence": "Apache-2.0",
            "link": f"https://example.org/{package}/{{path}}",
            **fields,
        }
    )


def model_zoo_wheel(world: World, package: str = "planted-zoo") -> tuple[Wheel, bytes]:
    """The planted world as a wheel of metafiles, with its catalogue entry."""
    items = world.items()
    facts = {item.raw_model: item for item in items if isinstance(item, ModelFact)}
    models: dict[str, dict[str, object]] = {}
    for item in items:
        if isinstance(item, Report):
            fact = facts[item.raw_model]
            model = models.setdefault(
                item.raw_model,
                {
                    "Name": item.raw_model,
                    "In Collection": fact.architecture,
                    "Metadata": {"Parameters": round((fact.params_b or 0) * 1e9)},
                    "Results": [],
                },
            )
            results = model["Results"]
            assert isinstance(results, list)
            score = {item.raw_metric: item.raw_value}
            results.append({"Task": item.raw_task, "Dataset": item.raw_dataset, "Metrics": score})
    text = yaml.safe_dump({"Models": list(models.values())}, sort_keys=False)
    data = build_wheel(package, "1.0", {"planted_zoo/.mim/configs/all/metafile.yml": text})
    return wheel_entry(package, "1.0", data), data


@dataclass
class PackageIndex:
    """What the index serves, and how it misbehaves; both may change while it runs."""

    files: dict[str, dict[str, bytes]] = field(
        default_factory=dict
    )  # package -> file name -> bytes
    listed_hash: dict[str, str] = field(default_factory=dict)  # file name -> hash on the page
    truncate: set[str] = field(default_factory=set)  # file names whose body breaks off half way
    failures: Counter[str] = field(default_factory=Counter)  # file names still to answer 503
    requests: Counter[str] = field(default_factory=Counter)  # paths asked for
    url: str = ""

    def add(self, wheel: Wheel, data: bytes) -> None:
        """Offer a wheel under its catalogue entry's names."""
        self.files.setdefault(wheel.package, {})[wheel.file] = data

    def page(self, package: str, *, as_json: bool) -> bytes | None:
        """The simple page of one package, None if the index does not know it."""
        if package not in self.files:
            return None
        offered = {
            name: self.listed_hash.get(name, hashlib.sha256(data).hexdigest())
            for name, data in self.files[package].items()
        }
        if as_json:
            found = [
                {"filename": n, "url": f"/files/{package}/{n}", "hashes": {"sha256": digest}}
                for n, digest in offered.items()
            ]
            page = {"meta": {"api-version": "1.0"}, "name": package, "files": found}
            return json.dumps(page).encode()
        links = (
            f'<a href="/files/{package}/{n}#sha256={digest}">{n}</a>'
            for n, digest in offered.items()
        )
        return f"<!DOCTYPE html><html><body>{'<br>'.join(links)}</body></html>".encode()


def _handler(index: PackageIndex) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            index.requests[path] += 1
            kind, _, rest = path.strip("/").partition("/")
            package, _, name = rest.partition("/")
            if kind == "simple":
                as_json = JSON_TYPE in self.headers.get("Accept", "")
                page = index.page(package, as_json=as_json)
                self._send(page, JSON_TYPE if as_json else "text/html")
            elif index.failures[name] > 0:
                index.failures[name] -= 1
                self.send_error(503)
            else:
                data = index.files.get(package, {}).get(name)
                self._send(data, "application/octet-stream", cut=name in index.truncate)

        def _send(self, body: bytes | None, content_type: str, *, cut: bool = False) -> None:
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing: the test's output is for the test."""

    return Handler


@contextmanager
def serve(index: PackageIndex) -> Iterator[PackageIndex]:
    """Run the index on a free loopback port; `index.url` is its simple root while it runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(index))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pip_environment(url: str, cache: str) -> dict[str, str]:
    """Environment that makes pip see this index and nothing else."""
    return {
        "PIP_INDEX_URL": url, "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "", "PIP_NO_INDEX": "",
        "PIP_EXTRA_INDEX_URL": "", "PIP_CACHE_DIR": cache, "PIP_DEFAULT_TIMEOUT": "5",
        "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
    }  # fmt: skip
