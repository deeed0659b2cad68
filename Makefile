# `make grade` shows what the grader does; `make check` is for after every edit, `make test` for
# before a change is sent. Each installs what it needs at its first run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= build/reports
STAMP := $(VENV)/.installed

# A third of the time tests wait for processes that they start: two more than there are cores pay.
WORKERS ?= $$(($$($(PYTHON) -c 'import os; print(min(8, len(os.sched_getaffinity(0))))') + 2))
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
# For `make grade`: right, wrong and hostile, of every question of the homework, without long training.
SHOWCASE := full_marks/unusual_imports full_marks/derivation_rows \
	wrong/figure_titles_one_off wrong/gram_never_divided wrong/rnn_step_without_bias \
	wrong/derivation_sum_missing wrong/lstm_gates_in_torch_order wrong/softmax_epsilon \
	wrong/predictions_labels_exchanged hostile/reads_the_reference_by_path hostile/forges_an_answer

# Each of the thousands of processes that tests start would compile the grader anew, where a machine
# keeps Python from writing bytecode.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: grade verify check test coverage fuzz lint types bench validity accelerator hostile container-test accessibility clean help

help:
	@echo "make grade   install, grade eleven example submissions, say where the reports are"
	@echo "make verify  grade all example submissions and compare with what each must score"
	@echo "make check   after every edit: lint, types, and the fast tests"
	@echo "make test    before a change is sent: every test, and a third of the examples that take long"
	@echo "make lint    ruff, layers, versions     make types  mypy     make bench  time grading"
	@echo "make fuzz    fifteen minutes of hostile frames, results, rubrics, archives, predictions"
	@echo "make validity  long proofs, in parts: docs/validity.md make clean"
	@echo "make container-test  build the Gradescope image and run it (root, buildah)"
	@echo "make accessibility  the pages in a browser: sorting, phones, WCAG 2.2 AA (needs Chromium)"
	@echo "make accelerator  the same grades on a GPU, and programs that misuse it; skips where there is none"
	@echo "make hostile   every hostile example on three kinds of machine (root only)"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "Python 3.10 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing into $(VENV); torch is large, so this can take some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[test]'
	@touch $@

grade: $(STAMP)
	$(BIN)/grader verify $(SHOWCASE) --out $(OUT)

verify: $(STAMP)
	$(BIN)/grader verify --out $(OUT)

check: lint types
	$(PYTEST) -m "not slow" --durations=10 $(PYTEST_ARGS)

test: $(STAMP)
	$(PYTEST) --durations=25 $(PYTEST_ARGS)

# The same, slower, with a table of what the tests reach.
coverage: $(STAMP)
	COVERAGE_FILE=$(CURDIR)/.coverage $(MAKE) test PYTEST_ARGS="--cov --cov-report=term $(PYTEST_ARGS)"

# About fifteen minutes of new hostile inputs; GRADER_FUZZ=0.1 takes a tenth of them.
fuzz: $(STAMP)
	GRADER_FUZZ=$${GRADER_FUZZ:-1} OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/fuzz --durations=5

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/vermin --target=3.10- --violations --no-tips --quiet --exclude-regex /submissions/ \
		grader latexgrad reference submissions_template examples benchmarks

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python benchmarks/bench_isolation.py
	$(BIN)/python benchmarks/bench_derivations.py
	$(BIN)/python benchmarks/bench_memory.py
	$(BIN)/python benchmarks/bench_grading.py

derivations: $(STAMP)
	$(BIN)/python benchmarks/derivations.py

# Hours, in parts: what is done is kept in build/validity, and the next call goes on.
validity: $(STAMP)
	$(BIN)/python benchmarks/validity.py

# Every kind of page in Chromium (Debian's package chromium), looked at by axe-core.
accessibility: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt -e '.[browser]'
	$(BIN)/python -m pytest tests/browser -v

accelerator: $(STAMP)
	$(BIN)/python benchmarks/accelerator.py

hostile: $(STAMP)
	$(BIN)/python benchmarks/hostile_machines.py

# Builds the Docker image without a daemon and runs it; needs root, buildah and debootstrap.
container-test: $(STAMP)
	GRADER_CONTAINER=build/container OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/container -v -s $(PYTEST_ARGS)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
