# What people type here. Nothing but python3 (3.11 or newer) and make is needed: the first run
# makes .venv from the locks; later runs find it ready.

# The system's own Python first, where it is new enough: distributions build theirs for speed; one
# that was compiled plainly, as by a version manager, needs a sixth more of the processor.
PYTHON ?= $(shell for name in /usr/bin/python3 python3; do \
  $$name -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo $$name && exit; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV ?= $(or $(wildcard $(BIN)/uv),uv)
# Locks hold names, versions and hashes; no addresses.
LOCKED := --quiet --frozen --no-emit-project --no-header

# Official schemas, vectors and traces, where they lie beside the project. Tests that need them
# are skipped elsewhere.
ifneq ($(wildcard ../shared/data/.),)
export PREAU_TEST_DATA ?= $(CURDIR)/../shared/data
endif

# Tests and the demo start hundreds of nodes: what Python compiled once is kept.
unexport PYTHONDONTWRITEBYTECODE

# Files of tests side by side, the long ones first (tests/conftest.py). A worker that dies fails
# the run. `make test WORKERS=0` runs one after the other in one process, for a debugger.
WORKERS ?= logical
SIDE_BY_SIDE := --numprocesses=$(WORKERS) --maxprocesses=4 --dist=loadfile --no-loadscope-reorder \
  --max-worker-restart=0

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check slow faults conformance interop bench lint format layers types lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.runtime ## three nodes play the story: TRACES=FILE on your own traces, KEEP=1 to leave them running
	@$(BIN)/preau demo $(if $(TRACES),--traces '$(TRACES)') $(if $(filter-out 0,$(KEEP)),--keep) $(ARGS)

test: $(VENV)/.dev ## the fast tests (ARGS= goes to pytest)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

# From the quickest to find fault to the slowest; pytest speaks last.
check: $(VENV)/.dev ## all that CI asks for
	@$(MAKE) --no-print-directory lint layers types
	@$(MAKE) --no-print-directory test ARGS=
	@$(MAKE) --no-print-directory demo TRACES= KEEP= ARGS=
	@$(MAKE) --no-print-directory slow ARGS=

slow: $(VENV)/.dev ## the tests with real processes, kills and real traces
	@$(BIN)/python -m pytest -m slow $(SIDE_BY_SIDE) $(ARGS)

conformance: $(VENV)/.dev ## the official DSP kit against a node: KIT=DIR, its jars; java 17 (ARGS='--version V --log FILE')
	@$(BIN)/python -m tests.conformance.kit '$(KIT)' $(ARGS)

interop: $(VENV)/.dev ## a real Eclipse EDC 0.14.1 and a node, both ways (needs Java, Maven and its registry)
	@$(BIN)/python -m pytest -m interop $(ARGS)

# What `make slow` has of it, and five times as many schedules.
faults: $(VENV)/.dev ## kills, outages, and 100,000 schedules by seed
	@$(BIN)/python -m tests.simulation 0 100000
	@$(BIN)/python -m pytest -m slow tests/real/test_kills.py tests/real/test_kills_people.py \
	  tests/real/test_outages.py tests/real/test_bad_start.py tests/connector/operating/test_faults.py

bench: $(VENV)/.runtime ## measure against the budgets of docs/benchmarks.md (ARGS= names some, such as negotiation)
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(VENV)/.dev ## style and form
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: run 'make format'."; exit 1; }

format: $(VENV)/.dev ## put files in form and mend what can be mended safely
	@$(BIN)/ruff check --quiet --fix --exit-zero .
	@$(BIN)/ruff format --quiet .

layers: $(VENV)/.dev ## who may import whom
	@$(BIN)/lint-imports --no-logo

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

lock: ## for maintainers, with uv: renew the locks (ARGS=--upgrade for newer versions)
	@command -v '$(UV)' >/dev/null || { echo "'make lock' needs uv: install it with '$(BIN)/pip install uv'."; exit 1; }
	UV_PYTHON_DOWNLOADS=never $(UV) lock --quiet $(ARGS)
	$(UV) export $(LOCKED) --no-default-groups --output-file requirements.lock >/dev/null
	$(UV) export $(LOCKED) --no-default-groups --group dev --output-file requirements-dev.lock >/dev/null
	$(UV) export $(LOCKED) --only-group build --output-file requirements-build.lock >/dev/null
	$(UV) export $(LOCKED) --no-default-groups --extra postgresql --output-file requirements-postgresql.lock >/dev/null

clean: ## remove .venv, caches and builds
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A stamp says that a lock is installed; a changed lock installs again.

$(BIN)/pip:
	@command -v '$(PYTHON)' >/dev/null || { \
	  echo "Préau needs Python 3.11 or newer, and there is no '$(PYTHON)' here: install the package python3."; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Préau needs Python 3.11 or newer, and '$(PYTHON)' is older: name another one, for example 'make $(MAKECMDGOALS) PYTHON=python3.12'."; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make a virtual environment: install the package python3-venv (Debian, Ubuntu: sudo apt install python3-venv)."; exit 1; }
	@echo "Making $(VENV) (once; a minute or so)."
	@'$(PYTHON)' -m venv $(VENV)

$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/pip
	@$(PIP) install --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
