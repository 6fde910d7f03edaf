# `make run` and `make test` need Python 3.10 to 3.13, git and make; all else they install.

# The virtual environment that everything is installed into.
VENV ?= .venv
# A second one, with major 2 of the SageMaker SDK.
VENV_SDK2 ?= .venv-sdk2
# What `make run` runs, with options: make run RUN="definitions/pulsar -p Model=gradient-boosting"
RUN ?= definitions/pulsar
# What `make test` runs: make test TESTS="tests/draw -k svg"
TESTS ?=
# What `make test-sdk2` runs: the goldens, purity, images, import, SDK 2's own step classes.
TESTS_SDK2 ?= tests/compile tests/sdk2 tests/service/test_images.py \
	tests/service/test_images_of_both_majors.py tests/doctor/test_doctor.py \
	tests/importer/test_import_of_goldens.py tests/importer/test_import_of_images.py \
	tests/importer/test_import_of_fetched_code.py
# What `make bench` is given: make bench BENCH="--rounds 3"
BENCH ?=

BIN := $(VENV)/bin
READY_RUN := $(VENV)/.ready-run
READY_DEV := $(VENV)/.ready-dev
READY_SDK2 := $(VENV_SDK2)/.ready-dev

# An environment whose interpreter went away, or whose checkout moved, is installed anew.
STALE := $(shell { test -e '$(BIN)/python' && grep -qxF '$(CURDIR)' '$(READY_RUN)'; } 2>/dev/null \
	|| rm -f '$(READY_RUN)' '$(READY_DEV)')
STALE += $(shell { test -e '$(VENV_SDK2)/bin/python' && grep -qxF '$(CURDIR)' '$(READY_SDK2)'; } \
	2>/dev/null || rm -f '$(READY_SDK2)')

.DEFAULT_GOAL := help
.PHONY: help run test test-sdk2 lint bench regen clean
.PHONY: style types layers generated

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

run: $(READY_RUN) ## Run the pulsar pipeline on this machine
	$(BIN)/sagedag run $(RUN)

test: $(READY_DEV) ## Run the tests
	$(BIN)/python -m pytest -n auto $(TESTS)

test-sdk2: $(READY_DEV) $(READY_SDK2) ## Run what depends on the SDK's major with SDK 2
	SAGEDAG_OTHER_SDK=$$($(BIN)/python -c 'import sysconfig as s; print(s.get_path("purelib"))') \
		$(VENV_SDK2)/bin/python -m pytest $(TESTS_SDK2)

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
	rm -rf $(VENV) $(VENV_SDK2) .hypothesis .import_linter_cache .mypy_cache .ruff_cache dist build

$(READY_RUN): pyproject.toml
	@scripts/install.sh $(VENV) pulsar
	@echo '$(CURDIR)' > $@

# The development environment holds what a run needs as well.
$(READY_DEV): pyproject.toml
	@scripts/install.sh $(VENV) dev
	@echo '$(CURDIR)' | tee $(READY_RUN) > $@

$(READY_SDK2): pyproject.toml
	@scripts/install.sh $(VENV_SDK2) dev 'sagemaker<3'
	@echo '$(CURDIR)' > $@
