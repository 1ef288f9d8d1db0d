# Everything that a checkout needs: python3.11 and make are enough to begin with.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SERVE ?= 1
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest -n 2 -rs

# Dozens of processes import the same modules: they need not compile them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install test soak pictures lint format wheel demo clean

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

install: $(INSTALLED) ## a virtual environment with everything in it

# The build backend comes first, from constraints.txt as well: a build environment of pip's own would take
# whatever is newest.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) hatchling editables
	$(PIP) --no-build-isolation --editable '.[demo,dev]'
	@touch $@

test: install ## every test but those that run for minutes
	@$(BIN)/python -m tests.browser
	$(PYTEST) -m "not soak"

soak: install ## the tests that run for minutes
	$(PYTEST) -m soak

pictures: install ## the pictures of README and docs, taken anew from the pages
	SCREENSHOTS=docs/images $(BIN)/python -m pytest -q tests/admin/test_story.py

lint: install ## style, types and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## lay the code out as lint wants it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

wheel: install ## dist/*.whl, checked to hold the package alone
	rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation
	$(BIN)/python .ci/check_wheel.py dist/*.whl

demo: install ## the site with broken databases to try it on; SERVE=0 prepares without serving
	SERVE=$(SERVE) $(BIN)/python manage.py demo

clean: ## remove all that was made here
	rm -rf $(VENV) var dist build .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
