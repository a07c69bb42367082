# Every target does its own set-up: a virtual environment in .venv, made again only when pyproject.toml or
# constraints.txt change. After that nothing here needs a network.
#   make demo      the main job: from web pages to a model one can talk to (about 10 minutes on two cores)
#   make test      the default tests (under 5 minutes)          make test-all   the slow ones too
#   make check     lint, types, import contracts, tests         make lint       the same without the tests
#   make fix       let ruff repair what it can                  make docs       write docs/stages from the code
#   make smoke     the demo's recipe at its smallest            make bench NAME=decode   one benchmark
#   make clean     remove caches and build output (runs/ and .venv stay)

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
# More words for pip, for example an index with builds of torch without CUDA (see the README).
PIP_FLAGS ?=
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
SUM := $(shell cat pyproject.toml constraints.txt | cksum | tr ' ' '-')
CORE := $(VENV)/.core-$(SUM)
DEV := $(VENV)/.dev-$(SUM)
INSTALL = $(BIN)/python -m pip install --no-build-isolation -c constraints.txt $(PIP_FLAGS)
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: demo test test-all check lint ruff contracts types smoke bench docs fix lock clean
.DEFAULT_GOAL := demo

demo: $(CORE)
	@$(BIN)/hornbook run demo
	@echo
	@echo "Talk to it:   $(BIN)/hornbook chat runs/demo"
	@echo "In a browser: $(BIN)/hornbook serve runs/demo"
	@echo "Read about it: runs/demo/report.html"

test: $(DEV)
	@$(PYTEST)

test-all: $(DEV)
	@$(PYTEST) -m ""

check: lint test

lint: ruff contracts types

ruff: $(DEV)
	@echo "ruff: rules and format"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "make fix formats these:"; $(BIN)/ruff format --check .; exit 1; }

contracts: $(DEV)
	@echo "import-linter: contracts"
	@$(BIN)/lint-imports --no-cache

types: $(DEV)
	@echo "pyright: types (about a minute)"
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

smoke: $(CORE)
	@$(BIN)/hornbook run demo --profile smoke

bench: $(DEV)
	@$(BIN)/python bench/run.py $(NAME) $(ARGS)

docs: $(DEV)
	@$(BIN)/python docs/generate.py

fix: $(DEV)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

# Write constraints.txt from what is installed now.
lock:
	@{ echo "# The exact versions that are tested. Written by make lock."; \
	$(BIN)/python -m pip list --format=freeze --exclude hornbook --exclude pip --exclude wheel 2>/dev/null | \
	sed 's/+cpu$$//' | sort -f; } > constraints.new && mv constraints.new constraints.txt

clean:
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path "./$(VENV)/*" -type d -prune -exec rm -rf {} +
	rm -rf src/*.egg-info.tmp

$(CORE):
	@test -n "$(PYTHON)" || { echo "Hornbook needs Python 3.11 or newer, and none was found. Install it, or say where: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Set-up: the packages of constraints.txt into $(VENV) with $(PYTHON) (once; about 1.5 GB, 1 to 5 minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@$(INSTALL) setuptools
	@$(INSTALL) -e .
	@rm -f $(VENV)/.core-* && touch $@

$(DEV): $(CORE)
	@echo "Set-up: what the tests need besides (once)"
	@$(INSTALL) -e ".[dev]"
	@rm -f $(VENV)/.dev-* && touch $@
