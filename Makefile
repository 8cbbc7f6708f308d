# Two commands on a machine with Python >= 3.11, Go (or the Pulumi CLI) and a C compiler:
#   make demo   sets up and runs the main job on the local stack
#   make test   sets up and passes every check and test

# The first interpreter that is new enough; choose another with: make PYTHON=python3.12 …
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# Extras are kept: pip otherwise asks for the newest `coverage[toml]` beside the pinned `coverage`, and refuses both.
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras

.PHONY: help setup demo test lint types unit bench fuzz lock docs clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/installed  ## make the virtual environment from the hash-pinned lock

$(VENV)/installed: requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "callrec needs Python 3.11 or newer; none is on PATH" >&2; exit 2; }
	@echo "setting up $(VENV) with $(PYTHON): about a minute the first time"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## one real call's data through the whole way, on this machine
	$(BIN)/callrec local demo

test: setup lint types  ## every check and every test
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term

.PHONY: browser
browser: setup  ## links and their pages in headless Chromium, which is fetched once where there is none
	$(BIN)/python -m pytest -m browser tests/browser

.PHONY: soak
soak: setup  ## the fault tests at their full size, into docs/soak.md: about 20 minutes
	$(BIN)/python -m tests.faults.soak

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/basedpyright

unit: setup  ## the fast tests only
	$(BIN)/python -m pytest tests/unit

bench: setup  ## measure what the functions cost, and write docs/bench.md: about 6 minutes
	$(BIN)/python -m tests.bench

fuzz: setup  ## raw bytes for receive, recording and play: CALLREC_FUZZ_SECONDS each, 120 unless given
	CALLREC_FUZZ_SECONDS=$${CALLREC_FUZZ_SECONDS:-120} $(BIN)/python -m pytest -q -s tests/fuzz/test_bytes.py

.PHONY: audit
audit: setup  ## Prowler, policy linters and a secrets scan on a local stack and its bad twin, into docs/audit.md: 5 minutes
	$(BIN)/python -m tests.audit

lock: setup  ## compile the hash-pinned requirements anew from pyproject.toml
	$(UV_COMPILE) pyproject.toml --extra local --extra agent --extra live --extra browser --extra dev -o requirements/dev.txt
	$(UV_COMPILE) requirements/lambda.in -c requirements/dev.txt -o requirements/lambda.txt
	$(UV_COMPILE) requirements/audit.in -o requirements/audit.txt

docs: setup  ## write the generated parts of README.md and docs/cost.svg
	$(BIN)/python -m scripts.readme
	$(BIN)/python -m tests.audit.document

clean:  ## stop the local stack and remove everything that was made here
	-@test ! -x $(BIN)/callrec || $(BIN)/callrec local down
	rm -rf .local $(VENV) .coverage .coverage.* .hypothesis .pytest_cache .ruff_cache
