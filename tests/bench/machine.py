"""What a figure was measured on: every bench writes it beside its figures."""

import os
import platform
from importlib.metadata import version
from typing import Any

PACKAGES = ("dagster", "duckdb", "pyarrow", "torch", "huggingface_hub")


def machine() -> dict[str, Any]:
    """Processor, cores, Python and the versions of the packages that decide speed."""
    return {
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in PACKAGES},
    }
