# make run: set up and start the app.   make test: set up and pass the tests.   make bench: print the figures.

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8501
ADDRESS ?= localhost

.PHONY: run test lint unit bench screenshots clean

run: $(VENV)/run.stamp
	$(BIN)/streamlit run app.py --server.address $(ADDRESS) --server.port $(PORT)

test: lint unit

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/dev.stamp
	$(BIN)/pytest -n 2 --dist loadfile --ignore tests/end_to_end
	$(BIN)/pytest tests/end_to_end

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/dev.stamp
	$(BIN)/python -m tests.end_to_end.screenshots

$(VENV)/run.stamp: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/run.stamp

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
