"""The planted world behind a loopback Hub and a loopback package index, and the whole graph run on it.

The graph is the real one, run through the real runner with the genuine pip and huggingface_hub; only the
servers, the encoder (hashing) and the length of training are small. It is built once for all tests here;
a test that changes something works on a copy of the state.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import huggingface_hub
import pytest
import yaml
from huggingface_hub.utils import close_session
from rich.console import Console

from modellens_core.config import Settings, load_settings
from modellens_core.sources.hub.store import HubStore
from modellens_core.sources.package_index import catalogue
from modellens_core.sources.package_index.catalogue import Wheel
from modellens_core.training.config import CONFIG_DIR
from pipelines.environment import environment_of
from pipelines.runner import RunOutcome, run_graph
from tests.fakes.hub.serve import RunningHub, running_hub
from tests.fakes.hub.world import world_repository
from tests.fakes.index_server import PackageIndex, model_zoo_wheel, pip_environment, serve
from tests.fakes.world import World, make_world

SHORT = {"max_epochs": 6, "patience": 3}


@dataclass(frozen=True)
class Site:
    """Everything a test of the whole graph needs."""

    world: World
    settings: Settings
    hub: RunningHub
    index: PackageIndex
    wheel: Wheel
    environment: Mapping[str, str]
    first: RunOutcome
    log: str

    def run(self, *, refresh: bool = False) -> tuple[RunOutcome, str]:
        """Run the graph again, returning what was printed."""
        out = StringIO()
        outcome = run_graph(self.settings, Console(file=out, width=200), refresh=refresh)
        return outcome, out.getvalue()


def _config(folder: Path) -> Path:
    recipe = yaml.safe_load((CONFIG_DIR / "default.yaml").read_text("utf-8"))
    path = folder / "short.yaml"
    path.write_text(yaml.safe_dump({**recipe, **SHORT, "name": "short"}), "utf-8")
    return path


def apply(patch: pytest.MonkeyPatch, environment: Mapping[str, str], wheel: Wheel) -> None:
    """Make this process see the loopback servers."""
    for name, value in environment.items():
        patch.setenv(name, value)
    patch.setattr(catalogue, "wheels", lambda: (wheel,))


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The world, served, and the graph run on it once. Only `site` may use it: it sets no environment."""
    folder = tmp_path_factory.mktemp("site")
    world = make_world(n_models=40, n_datasets=90, density=0.6, seed=3)
    wheel, data = model_zoo_wheel(world)
    index = PackageIndex()
    index.add(wheel, data)
    with serve(index), running_hub(world_repository(world)) as hub:
        environment = {
            **pip_environment(index.url, str(folder / "pip")),
            "HF_ENDPOINT": hub.endpoint,
            "MODELLENS_ENCODER": "hashing",
            "MODELLENS_SEEDS": "0",
            "MODELLENS_HUB_READ_READMES": "true",
            "MODELLENS_TRAIN_CONFIG": str(_config(folder)),
            "MODELLENS_HOME": str(folder / "home"),
        }
        out = StringIO()
        with pytest.MonkeyPatch.context() as patch:
            apply(patch, environment, wheel)
            settings = load_settings(profile="quickstart")
            environment |= environment_of(settings)
            apply(patch, environment, wheel)
            outcome = run_graph(settings, Console(file=out, width=200))
        yield Site(world, settings, hub, index, wheel, environment, outcome, out.getvalue())


@pytest.fixture
def site(built, monkeypatch):
    """The finished site, seen from this test."""
    apply(monkeypatch, built.environment, built.wheel)
    return built


@pytest.fixture
def copy(site, tmp_path, monkeypatch):
    """The same site with a state of its own, to be broken at will."""
    home = tmp_path / "home"
    shutil.copytree(site.settings.home, home)
    settings = site.settings.model_copy(update={"home": home})
    environment = {**site.environment, **environment_of(settings)}
    apply(monkeypatch, environment, site.wheel)
    return replace(site, settings=settings, environment=environment)


@pytest.fixture
def anonymous_client(monkeypatch):
    """The genuine Hub client without a login, connecting directly; no session outlives the test."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    close_session()
    yield
    close_session()


@pytest.fixture
def store(tmp_path):
    """An empty Hub store."""
    return HubStore(tmp_path / "hub.sqlite")


@pytest.fixture
def hub():
    """A running loopback Hub with the planted world."""
    with running_hub(world_repository()) as running:
        yield running
