# Needs python >= 3.11 with pip and venv, git and make; everything else is pinned under requirements/.

VENV ?= .venv
BENCH_VENV ?= .venv-bench
# The newest interpreter that the tests cover, else whatever python3 is, provided that it runs and is new enough.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

BIN := $(VENV)/bin
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
DISTRIBUTIONS := . $(PLUGINS)
PROJECTS := $(DISTRIBUTIONS:%=%/pyproject.toml)
INSTALL := -m pip install -qq --disable-pip-version-check --no-input
EDITABLE := --no-deps --no-build-isolation $(DISTRIBUTIONS:%=--editable %)
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	--no-emit-package hephaestus-toolkit $(PLUGINS:plugins/%=--no-emit-package %)

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

setup: $(VENV)/.stamp ## make .venv with every tool, and the distributions editable

run: setup ## preview what a cleanup of this checkout would remove; ARGS="..." runs any other hephaestus command
	$(BIN)/hephaestus $(or $(ARGS),--log-level info cleanup --dry-run --python-cache --build-artifacts --node-modules)

test: setup ## run all tests under coverage; ARGS="..." goes to pytest
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --dist worksteal $(ARGS) || { $(BIN)/coverage combine --quiet; exit 1; }
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report $(if $(ARGS),--fail-under=0)

# The gates are read from the repository's own files and from [tool.hephaestus.guard-rails].
check: setup ## lint, formatting, types, import contracts, freshness of the generated docs, changelog fragments
	$(BIN)/hephaestus guard-rails --no-format --no-cache

format: setup ## format the sources and mend what ruff can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: $(BENCH_VENV)/.stamp ## measure the peers side by side; ARGS="..." goes to the benchmarks
	$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

lock: setup ## pin the dependencies anew; ARGS="--upgrade" also lifts versions
	$(COMPILE) $(ARGS) requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) $(ARGS) requirements/bench.in --output-file requirements/bench.txt

clean: ## remove the environments and the tools' caches
	rm -rf $(VENV) $(BENCH_VENV) .coverage .coverage.* .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/.stamp: requirements/dev.txt $(PROJECTS)
$(BENCH_VENV)/.stamp: requirements/bench.txt $(PROJECTS)
$(VENV)/.stamp $(BENCH_VENV)/.stamp:
	@test -n "$(PYTHON)" || { echo "no python >= 3.11 with venv found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(@D)
	@echo '*' >$(@D)/.gitignore
	$(@D)/bin/python $(INSTALL) --no-deps --require-hashes --requirement $<
	$(@D)/bin/python $(INSTALL) $(EDITABLE)
	@touch $@
