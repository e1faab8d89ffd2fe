"""A Hugging Face Hub on the loopback interface, for the genuine client."""

from tests.fakes.hub.faults import Fault, Kind
from tests.fakes.hub.repository import HubRepo, MemoryRepository
from tests.fakes.hub.serve import RunningHub, running_hub
from tests.fakes.hub.snapshot import snapshot_repository
from tests.fakes.hub.world import world_repository

__all__ = [
    "Fault",
    "HubRepo",
    "Kind",
    "MemoryRepository",
    "RunningHub",
    "running_hub",
    "snapshot_repository",
    "world_repository",
]
