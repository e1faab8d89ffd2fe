"""What both Hub test files share: a patient-for-milliseconds client and one way to collect."""

from modellens_core.config import Settings
from modellens_core.progress import silent
from modellens_core.sources.hub.client import HubClient, Patience
from modellens_core.sources.hub.collect import Crawl, collect_from

QUICK = Patience(connect=1.0, first_answer=1.0, read=1.0, first_wait=0.01, longest_wait=0.02)
EVERYTHING = Crawl(bound=0, sort="createdAt", readmes=True)


def collect(hub, previous=None, token=None):
    """Collect everything from a running loopback Hub."""
    return collect_from(HubClient(hub.endpoint, token, QUICK), EVERYTHING, previous or {}, silent)


def settings(hub, **given):
    """Settings that point at a running loopback Hub."""
    return Settings(_env_file=None, hub_endpoint=hub.endpoint, **given)
