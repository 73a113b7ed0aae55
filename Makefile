# Needs Python 3.11, Java 17, Maven and make; on Debian and Ubuntu `make` installs what is missing when it may.
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
TEST_WORKERS ?= 3
.DEFAULT_GOAL := help

.PHONY: help setup run test test-long test-fast lint schemas bench clean

help:  ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: .venv/.ready  ## make the virtual environment and fetch the servers

.venv/.ready: pyproject.toml constraints.txt tests/client-generator.txt shared/embedded/pom.xml
	@bash shared/embedded/setup.sh "$(PYTHON)"
	@touch $@

run: setup  ## start everything, play the demo, serve until Ctrl-C (ONCE=1: exit after the demo)
	@$(BIN)/fealty up --demo $(if $(ONCE),--once)

test: setup  ## run every test, the real-broker ones included; TEST_WORKERS=3 at once, each with servers of its own
	@$(BIN)/pytest -m "not long" -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder --durations=20 --durations-min=5

test-long: setup  ## run the long campaigns
	@$(BIN)/pytest -m long

test-fast: setup  ## run the tests that need no server
	@$(BIN)/pytest -m "not real and not long"

lint: setup  ## ruff and mypy strict
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

schemas: setup  ## write the generated contracts under schemas/, and docs/api-coverage.md
	@$(BIN)/python -m schemas.generate
	@$(BIN)/python -m tests.api_coverage

bench: setup  ## measure, with the machine's ceiling beside each figure (BENCH=--short: minutes)
	@$(BIN)/python -m bench $(BENCH)

clean:  ## remove the data of the local stack (not what was fetched)
	@rm -rf .fealty/data
