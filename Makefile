# `make repro` sets up the environment and runs the pipeline; `make test` runs all checks and tests.

PYTHON ?= python3
VENV := .venv
JOBS ?= 1
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro verify test test-fast lint results clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

repro: $(VENV)/.installed .dvc/plots.html ## set up, run the stages that are out of date (JOBS=2: two at a time), show the models
	@python stages/repair.py
	@python stages/check.py
	$(if $(filter 1,$(JOBS)),dvc repro,python stages/parallel.py --jobs $(JOBS))
	@python stages/remember.py
	@python stages/results.py
	@echo "The page with all of it: metrics/report.html"

verify: $(VENV)/.installed ## compare the outputs with the committed ones, on another kind of processor
	@python stages/verify.py

test: lint ## set up, lint, type-check, run all tests
	@# projects created by stages/new.py have no tests, since those are specific to this list
	test ! -d tests || pytest

test-fast: $(VENV)/.installed ## set up, run the tests that need no pipeline and no browser
	pytest -m "not slow"

lint: $(VENV)/.installed node_modules/.installed ## set up, lint and type-check
	ruff check
	ruff format --check
	mypy
	@if [ -x node_modules/.bin/biome ]; then node_modules/.bin/biome check --error-on-warnings; fi

results: $(VENV)/.installed ## show the table of models
	@python stages/results.py

lecture-%: repro ## run the published experiments of lecture 2, 3, 4 or 5 (minutes each) beside their figures
	@python stages/lecture.py $*

clean: ## remove the environment (keeps the DVC cache and the outputs)
	rm -rf $(VENV)

# Direct dependencies are pinned in pyproject.toml, transitive ones in constraints.txt.
$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Installing into $(VENV), a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# The linter of the page's JavaScript, where npm is there and can install it.
node_modules/.installed: package.json package-lock.json
	@if command -v npm >/dev/null && npm ci --silent --ignore-scripts; then touch $@; else \
		echo "npm cannot install package.json: the JavaScript is not linted, the HTML not validated"; fi

# The template of `dvc plots`, for plots that work offline. It is set in the local configuration, since DVC fails if a
# configured template is missing.
.dvc/plots.html: stages/plots_page.py | $(VENV)/.installed
	python stages/plots_page.py
	dvc config --local plots.html_template plots.html
