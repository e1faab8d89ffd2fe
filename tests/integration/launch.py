"""`modellens` as a process of its own that knows one planted wheel: `python -m tests.integration.launch`.

The first argument is the wheel's catalogue entry as JSON, the rest is the command line. Everything else
(the servers, the encoder, the length of training) reaches the process through its environment.
"""

import sys

from modellens_core.sources.package_index import catalogue
from modellens_core.sources.package_index.catalogue import Wheel
from pipelines.cli import app

if __name__ == "__main__":
    wheel = Wheel.model_validate_json(sys.argv.pop(1))
    catalogue.wheels = lambda: (wheel,)
    app()
