# `make run` and `make test` need Python 3.10 to 3.13, git and make; all else they install.

# The virtual environment that everything is installed into.
VENV ?= .venv
# What `make run` runs, with options: make run RUN="definitions/pulsar -p Model=gradient-boosting"
RUN ?= definitions/pulsar
# What `make test` runs: make test TESTS="tests/draw -k svg"
TESTS ?=
# What `make bench` is given: make bench BENCH="--rounds 3"
BENCH ?=

BIN := $(VENV)/bin
READY_RUN := $(VENV)/.ready-run
READY_DEV := $(VENV)/.ready-dev

# An environment whose interpreter went away, or whose checkout moved, is installed anew.
STALE := $(shell { test -e '$(BIN)/python' && grep -qxF '$(CURDIR)' '$(READY_RUN)'; } 2>/dev/null \
	|| rm -f '$(READY_RUN)' '$(READY_DEV)')

.DEFAULT_GOAL := help
.PHONY: help run test lint bench regen clean
.PHONY: style types layers generated

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-6s %s\n", $$1, $$2}' Makefile

run: $(READY_RUN) ## Run the pulsar pipeline on this machine
	$(BIN)/sagedag run $(RUN)

test: $(READY_DEV) ## Run the tests
	$(BIN)/python -m pytest -n auto $(TESTS)

lint: style types layers generated ## Check style, types, layers and generated files

# Parts of `lint`, so that `make --keep-going lint` tells all there is to tell.
style: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sagedag fmt --check definitions
types: $(READY_DEV)
	$(BIN)/mypy
layers: $(READY_DEV)
	$(BIN)/lint-imports --no-logo
generated: $(READY_DEV)
	$(BIN)/python scripts/regen.py --check

bench: $(READY_DEV) ## Measure what must be fast
	$(BIN)/python bench/run.py $(BENCH)

regen: $(READY_DEV) ## Write everything that is generated anew
	$(BIN)/python scripts/regen.py

clean: ## Remove the virtual environment and caches; runs and models stay
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .ruff_cache dist build

$(READY_RUN): pyproject.toml
	@scripts/install.sh $(VENV) pulsar
	@echo '$(CURDIR)' > $@

# The development environment holds what a run needs as well.
$(READY_DEV): pyproject.toml
	@scripts/install.sh $(VENV) dev
	@echo '$(CURDIR)' | tee $(READY_RUN) > $@
