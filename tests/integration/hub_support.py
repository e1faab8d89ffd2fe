"""What the Hub test files share: a patient-for-milliseconds client and one way to collect."""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

import pyarrow as pa

from modellens_core.config import Settings
from modellens_core.progress import silent
from modellens_core.sources.base import Collected, SourceStatus
from modellens_core.sources.hub.client import HubClient, Patience
from modellens_core.sources.hub.collect import collect_from
from modellens_core.sources.hub.listing import Crawl
from tests.fakes.hub import HubRepo

QUICK = Patience(connect=2.0, first_answer=2.0, read=2.0, first_wait=0.01, longest_wait=0.02)
EVERYTHING = Crawl(hub="test", bound=0, readmes=True, full_every=timedelta(0))


@dataclass(frozen=True)
class Read:
    """A collection with its streams read."""

    tables: dict[str, pa.Table]
    statuses: tuple[SourceStatus, ...]

    @staticmethod
    def of(collected: Collected) -> "Read":
        """Read the streams."""
        tables = {
            name: found if isinstance(found, pa.Table) else found.read_all()
            for name, found in collected.tables.items()
        }
        return Read(tables, collected.statuses)


def facts(read):
    """What was read, without the times of reading: equal for equal Hubs, however they were collected."""
    return {
        name: table.drop_columns(["retrieved_at"]).to_pylist()
        for name, table in read.tables.items()
    }


def collect(
    hub, store, token=None, crawl=EVERYTHING, progress=silent, previous=MappingProxyType({})
):
    """Collect from a running loopback Hub, everything if not told otherwise."""
    client = HubClient(hub.endpoint, token, QUICK)
    return Read.of(collect_from(client, crawl, store, progress, previous))


def settings(hub, home, **given):
    """Settings that point at a running loopback Hub."""
    return Settings(_env_file=None, hub_endpoint=hub.endpoint, home=home, **given)


def many(count, readmes=0):
    """So many repositories; the first few have a README."""
    return [
        HubRepo(
            f"org/m{i:04d}", {"README.md": b"# Read me %d" % i} if i < readmes else {},
            fields={"downloads": count - i},
        )
        for i in range(count)
    ]  # fmt: skip
