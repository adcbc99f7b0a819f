# `make repro` sets up the environment and runs the pipeline; `make test` runs all checks and tests.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro verify test test-fast lint results lecture clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

repro: $(VENV)/.installed .dvc/plots.html ## set up, run the stages that are out of date, show the models
	@python stages/repair.py
	@python stages/check.py
	dvc repro
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

RECIPE := -S mlp.initialization=randn -S mlp.examples=all -S mlp.batch_size=32 -S mlp.optimizer=sgd \
	-S mlp.weight_decay=0.0 -S mlp.embedding_lr_scale=1.0 -S mlp.ema=0.0

lecture: repro ## run the second lecture's three experiments (two minutes) and list them
	@dvc exp remove --quiet lecture-2-100 lecture-2-300 lecture-10-200 2>/dev/null || true
	dvc exp run --queue --name lecture-2-100 $(RECIPE) -S mlp.embedding=2 -S mlp.hidden=100 \
		-S mlp.steps=10000 -S mlp.lr=0.01 -S mlp.schedule=constant evaluate@mlp
	dvc exp run --queue --name lecture-2-300 $(RECIPE) -S mlp.embedding=2 -S mlp.hidden=300 \
		-S mlp.steps=30000 -S mlp.lr=0.01 -S mlp.schedule=constant evaluate@mlp
	dvc exp run --queue --name lecture-10-200 $(RECIPE) -S mlp.embedding=10 -S mlp.hidden=200 \
		-S mlp.steps=200000 -S mlp.lr=0.1 -S mlp.schedule=step evaluate@mlp
	dvc exp run --run-all --jobs 2
	dvc exp show --only-changed --no-pager --drop '.*' --keep 'Experiment|mlp.(embedding|hidden|steps)$$|metrics/losses/mlp.json:(train|dev).nll$$'

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
