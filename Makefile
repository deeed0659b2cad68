# Two commands set everything up: `make grade` and `make test`. Everything else is for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= build/reports
STAMP := $(VENV)/.installed

.PHONY: grade test lint types bench validity clean help

help:
	@echo "make grade   install, grade the example submissions, say where the reports are"
	@echo "make test    install if needed, run every test"
	@echo "make lint    ruff     make types  mypy     make bench  time grading"
	@echo "make validity  long proofs: many seeds, both tiers     make clean"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "Python 3.10 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing into $(VENV); torch is large, so this can take some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[test]'
	@touch $@

grade: $(STAMP)
	$(BIN)/grader verify --out $(OUT)

test: $(STAMP)
	COVERAGE_FILE=$(CURDIR)/.coverage OMP_NUM_THREADS=1 $(BIN)/python -m pytest --cov --cov-report=term $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python benchmarks/bench_isolation.py
	$(BIN)/python benchmarks/bench_grading.py

validity: $(STAMP)
	$(BIN)/python benchmarks/validity.py

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
