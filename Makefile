# Everything a developer does, by name. Needs make and Python 3.11+; each target sets itself up.
# Options for the command behind a target go into ARGS: make test ARGS="tests/unit -x"

PYTHON   ?= python3
ARGS     ?=
RULEBOOK ?= ../shared/rulebook.md
# Tests wait for disks and clocks: each process has servers of its own. WORKERS=0 runs all of them in one.
WORKERS  ?= auto

BIN    := .venv/bin
READY  := .venv/ready
CODE   := $(wildcard libs services deploy tests bench)
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# pip writes the lock's hashes down; uv checks them. One resolution serves every platform and Python from 3.11 on.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
          --custom-compile-command "make lock" pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup lock demo test test-slow check bench rules test-containers up down fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## make .venv and install what requirements.lock names, checked by hash

# The mark is written last, so an interrupted set-up is done again, and a finished one costs nothing.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Redress needs Python 3.11 or newer. Where it has another name: make setup PYTHON=python3.11"; exit 1; }
	@echo "Setting up .venv from requirements.lock (the first time takes a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/# via/p' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock || { \
	    echo "uv could not; pip tries, with this machine's own settings for packages (slower)"; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; }
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(READY) ## write the locks again; newest versions with ARGS=--upgrade
	$(COMPILE) $(ARGS) --all-extras --group dev --output-file requirements.lock
	$(COMPILE) --constraint requirements.lock --output-file requirements-runtime.lock

demo: $(READY) ## start everything, see real complaints through, prove them unaltered, print how to try it
	@$(BIN)/redress demo $(ARGS)

test: check ## check, then every test but the slow ones
	$(PYTEST) -m "not slow" $(ARGS)
	@echo "Tests marked slow were left out (hundreds of simulated histories, a whole bench): make test-slow runs them."

# One file holds most of them, so they are shared out one by one, not by file.
test-slow: $(READY) ## the tests that make test leaves out: much of the same, which takes minutes
	$(PYTEST) --dist worksteal -m slow $(ARGS)

check: $(READY) ## format, lint, types, import contracts, YAML and Kubernetes manifests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-logo
	$(BIN)/yamllint --strict .
	@if [ -e deploy/kubernetes/validate.py ]; then $(BIN)/python deploy/kubernetes/validate.py; fi

bench: $(READY) ## measure, print the table of ratios, write build/bench.json
	@$(BIN)/python -m bench $(ARGS)

rules: $(READY) ## table of the rulebook's rules against tests, also build/rules.json
	@$(BIN)/python -m pytest --quiet --rules=$(RULEBOOK) $(ARGS)

test-containers: $(READY) ## the integration tests on a container engine's PostgreSQL and NATS
	COMPLAINTS_TEST_BACKEND=testcontainers TESTCONTAINERS_RYUK_DISABLED=true \
	TESTCONTAINERS_HOST_OVERRIDE=localhost $(BIN)/python -m pytest tests/integration $(ARGS)

up: $(READY) ## run PostgreSQL, NATS and every service here until Ctrl-C
	@$(BIN)/redress up $(ARGS)

down: $(READY) ## stop what make up started
	@$(BIN)/redress down $(ARGS)

fmt: $(READY) ## format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove build output and caches; .venv and local records stay
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
