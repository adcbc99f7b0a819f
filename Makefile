# Two commands: `make repro` sets up and runs the pipeline, `make test` sets up and checks everything.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro test lint results clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

repro: $(VENV)/.installed ## set up, run the stages that are not up to date, show the models
	@# DVC writes these in place, so when it is killed just then it leaves them empty, and would not start again
	@test -s .dvc/tmp/rwlock || rm -f .dvc/tmp/rwlock
	@test -s dvc.lock || git checkout --quiet dvc.lock
	dvc repro
	@python stages/results.py

test: lint ## set up, lint, type-check, run the tests
	pytest

lint: $(VENV)/.installed ## set up, lint and type-check
	ruff check
	ruff format --check
	mypy

results: $(VENV)/.installed ## show the table of models
	@python stages/results.py

clean: ## remove the environment (DVC's cache and outputs stay)
	rm -rf $(VENV)

# The direct dependencies are pinned in pyproject.toml, what they need in turn in constraints.txt.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
