PYTHON  ?= $(shell command -v python3.11 || command -v python3.12 || echo python3)
VENV    := .venv
BIN     := $(VENV)/bin
ADDRESS ?= localhost
PORT    ?= 8501

.PHONY: help run team check test lint quick unit javascript format chromium postgresql bench screenshots docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp  ## set up and start the app (ADDRESS=localhost PORT=8501)
	$(BIN)/python -m bam_engine serve --address $(ADDRESS) --port $(PORT)

team: $(VENV)/run.stamp  ## set up and start the app for people who sign in (ADDRESS=localhost PORT=8501)
	$(BIN)/python -m bam_engine serve --team --address $(ADDRESS) --port $(PORT)

check: lint javascript quick  ## the everyday checks: lint, types, layers, tests without browser and slow statistics

test: chromium postgresql lint javascript unit  ## everything: lint, types, layers, all tests

lint: $(VENV)/dev.stamp node_modules/.stamp  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	npm run --silent lint

javascript: node_modules/.stamp  ## the tests of the JavaScript
	npm run --silent test

format: $(VENV)/dev.stamp node_modules/.stamp  ## format Python, JavaScript and style sheets
	$(BIN)/ruff format .
	npm run --silent format

quick: $(VENV)/dev.stamp  ## the tests without browser and slow statistics
	$(BIN)/pytest -n 2 --dist loadfile --ignore tests/end_to_end -m "not browser and not slow"

unit: $(VENV)/dev.stamp  ## all tests
	$(BIN)/pytest -n 2 --dist loadfile --ignore tests/end_to_end
	$(BIN)/pytest tests/end_to_end

chromium:  ## install what the browser tests need, or say what is missing
	@sh scripts/chromium.sh

postgresql:  ## install what the PostgreSQL tests need, or say what is missing
	@sh scripts/postgresql.sh

bench: $(VENV)/dev.stamp  ## print the figures of the benchmarks
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/dev.stamp  ## retake the pictures of the documents
	$(BIN)/python -m tests.end_to_end.screenshots

docs: $(VENV)/dev.stamp  ## write the generated parts of the documents
	$(BIN)/python -m tests.documents

clean:  ## remove the environment and what the checks keep
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/run.stamp: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/run.stamp

node_modules/.stamp: package.json package-lock.json
	@sh scripts/node.sh
	npm ci --no-audit --no-fund
	touch $@
