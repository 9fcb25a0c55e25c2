# Every target works in a fresh clone: it makes .venv and installs what it needs, by hash, from the index that pip is set to.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore
export FM_TEST_DATA ?= $(abspath ../shared/data)

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
TESTS = $(RUN) pytest --cov --cov-report=term:skip-covered tests
SUITES = $(RUN) pytest contract_tests
JUDGED = contract_tests/test_neutrality.py
# A page stays as it is where what writes it fails.
renewed = page="$$($(RUN) $(2))"; printf '%s\n' "$$page" > $(1)
SCORER ?= $(abspath ../shared/eval/score.py)

.PHONY: help demo test check contract soak bench eval proof docs lock clean static format lint types imports servers

help:  ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## Find the root cause of the sample incident, and write demo-report.html
	@tools/demo

test: $(VENV)/.test servers static  ## All gates and all tests, the suites beside the rest: what CI runs
	$(BIN)/python tools/side_by_side.py $(TESTS) -- $(SUITES)

check: $(VENV)/.test servers static  ## Formatting, rules, types, imports, and all tests but the contract suites
	$(TESTS)

contract: $(VENV)/.test servers  ## The contract suites on every backend
	$(SUITES)

soak: $(VENV)/.test servers  ## The long tests: large files, kill loops, fuzzing
	$(RUN) pytest -m soak --timeout=7200 --durations=0 --durations-min=1 -o tmp_path_retention_policy=failed

bench: $(VENV)/.test servers  ## Speed and memory of every part beside its peers
	$(RUN) benchmarks.speed

eval: $(VENV)/.test  ## Quality on the incidents of FM_TEST_DATA, judged by SCORER
	$(RUN) benchmarks.quality.evaluate --data $(FM_TEST_DATA) --scorer $(SCORER)

static: format lint types imports

format: $(VENV)/.test
	$(RUN) ruff format --check

lint: $(VENV)/.test
	$(RUN) ruff check

types: $(VENV)/.test
	$(RUN) mypy
	$(RUN) mypy conftest.py

imports: $(VENV)/.test
	$(BIN)/lint-imports

servers:
	@tools/install-servers

proof: $(VENV)/.test servers  ## Run all tests and record what they prove for `fm neutrality` and docs/neutrality.md
	FM_TEST_WRITE_PROOF=1 $(BIN)/python tools/side_by_side.py $(TESTS) -- $(SUITES) --deselect $(JUDGED)::test_the_page_shows_the_recorded_proof --deselect $(JUDGED)::test_every_proof_that_a_row_names_has_run
	$(call renewed,docs/neutrality.md,faultmaven.neutrality.document)
	$(RUN) pytest $(JUDGED)

docs: $(VENV)/.test  ## Renew what the documents show of the product's output
	$(call renewed,docs/settings.md,faultmaven.settings_document)
	$(call renewed,docs/neutrality.md,faultmaven.neutrality.document)
	$(BIN)/python tools/examples.py --write

lock:  ## Renew demo.lock and test.lock from pyproject.toml
	tools/lock

clean:  ## Remove everything that make has made
	rm -rf $(VENV) build dist demo-report.html .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.%: %.lock no-deps.lock pyproject.toml
	tools/python -m venv $(VENV)
	$(RUN) pip install --quiet --require-hashes -r $<
	[ $* = demo ] || $(RUN) pip install --quiet --no-deps --require-hashes -r no-deps.lock
	$(RUN) pip install --quiet --no-deps --no-build-isolation -e .
	touch $@
