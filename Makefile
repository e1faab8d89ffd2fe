# Every command a person or CI needs. `make run` and `make test` work from a fresh clone.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Without PROFILE=... the settings decide: MODELLENS_PROFILE in the environment or in .env, else quickstart.
ifdef PROFILE
export MODELLENS_PROFILE := $(PROFILE)
endif
# Profile snapshot reads the Hub's cards through the genuine client from a local Hub.
WITH_HUB := $(BIN)/python -m tests.fakes.hub.for_profile

.DEFAULT_GOAL := help
.PHONY: help setup run dev test check format bench-run bench-recipe bench-hub bench-golden clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --progress-bar off -c constraints.txt -e '.[encoder,dev]'
	touch $(STAMP)

setup: $(STAMP) ## make .venv and install everything, pinned

run: $(STAMP) ## build the whole graph and show what came out
	$(WITH_HUB) $(BIN)/modellens run

dev: $(STAMP) ## Dagster's UI on http://127.0.0.1:3000
	$(WITH_HUB) $(BIN)/modellens dev

test: $(STAMP) ## the test suite, hermetic
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: $(STAMP) ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## apply the formatter
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench-run: $(STAMP) ## time and memory of the whole graph, from nothing
	$(WITH_HUB) $(BIN)/python -m tests.bench.run_graph

bench-recipe: $(STAMP) ## what each part of the training recipe is worth, on a built profile
	$(BIN)/python -m tests.bench.recipe

bench-hub: $(STAMP) ## requests, seconds and memory of reading a whole Hub (needs MODELLENS_SNAPSHOT_DIR)
	@test -n "$(MODELLENS_SNAPSHOT_DIR)" || { echo "error: bench-hub needs MODELLENS_SNAPSHOT_DIR: the folder with the local source files" >&2; exit 2; }
	$(BIN)/python -m tests.fakes.hub --snapshot "$(MODELLENS_SNAPSHOT_DIR)" -- $(BIN)/python -m tests.bench.hub

PART ?= dev
bench-golden: $(STAMP) ## README reader against tables labelled by hand (PART=dev or held_out)
	$(BIN)/python -m tests.bench.golden_tables --part $(PART)

clean: ## remove everything that was built
	rm -rf .modellens bench/out
