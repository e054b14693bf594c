# Each target sets up .venv by itself: pinned, made once, reused while nothing that defines it has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# A graph of ops is built in seconds anyway; notices of TensorFlow only hide what matters.
export TF_CPP_MIN_LOG_LEVEL := 3

.PHONY: help setup demo test lint fast bench-grading bench-explainers bench-automata peers lessons weights clean
help:  ## show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

setup: $(READY)  ## make .venv with everything pinned in constraints.txt

$(READY): constraints.txt pyproject.toml solutions/pyproject.toml autograder/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "setting up $(VENV): a few minutes the first time"
	@$(PYTHON) -m venv $(VENV) || { echo "could not make $(VENV): is Python's venv module installed (Debian: apt install python3-venv)?"; exit 1; }
	@$(PIP) hatchling editables setuptools
	@$(PIP) --no-build-isolation --editable '.[workshops,test]' --editable solutions --editable './autograder[cluster]'
	@touch $(READY)

demo: $(READY)  ## build, release and grade a made-up class of twelve
	@$(BIN)/vitrina demo

test: lint  ## lint, types and all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

fast: $(READY)  ## the tests that take no notebooks
	$(BIN)/python -m pytest -n 2 -m 'not slow'

lessons: $(READY)  ## run the lessons and write them as pages (ARGS="week2 --only 10_")
	@$(BIN)/vitrina lessons --html $(ARGS)

weights: $(READY)  ## train the small networks that week 3 loads, or read those that are there
	@$(BIN)/python -m vitrina.automata.weights
	@$(BIN)/vitrina lessons --html week3 --only 60_ >/dev/null  # keeps the image networks that it trains

bench-grading: $(READY)  ## stock nbgrader and ours side by side (ARGS="--help")
	@$(BIN)/python autograder/benchmarks/grading.py $(ARGS)

bench-explainers: $(READY)  ## speed of the explanation methods beside their peers (ARGS="--help")
	@$(BIN)/python course/benchmarks/explainers.py $(ARGS)

bench-automata: $(READY)  ## how often recurrent networks become the true automaton, and what noise buys (ARGS="--help")
	@$(BIN)/python course/benchmarks/automata.py $(ARGS)

# torch does not share an environment with TensorFlow's pins. zennit asks for 3.11.11 but runs on any 3.11; an older
# zennit, which pip would take instead, folds BatchNorm wrongly.
peers:  ## captum and zennit in a Python of their own, for tests and benchmarks: export VITRINA_PEERS=build/peers/bin/python
	@$(PYTHON) -m venv build/peers
	@build/peers/bin/python -m pip install --quiet torch==2.13.0 captum==0.9.0
	@build/peers/bin/python -m pip install --quiet --no-deps --ignore-requires-python zennit==1.0.0

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

clean:  ## remove what can be built again (never submissions, grades or the course secret)
	rm -rf build/source build/release build/demo build/materials build/kit build/lessons build/examined dist .pytest_cache .ruff_cache
