# SPDX-License-Identifier: Apache-2.0
# Needs python3 (3.11 or later), pip and make; everything else comes into .venv.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
WARM := .venv/.warm
# As many tests at once as there are cores, up to four: each process needs about a gigabyte.
TESTS := -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal
KERNELS := $(wildcard src/lvbo/*/_*kernels.py src/lvbo/*/_*values.py src/lvbo/*/_wide.py)

# Published instances with known answers: used where they lie beside the checkout. When the
# variable is set, a test that finds a file missing fails instead of being skipped.
BENCH_DATA := $(wildcard $(CURDIR)/../shared/bench)
ifneq ($(BENCH_DATA),)
export LVBO_BENCH_DATA ?= $(abspath $(BENCH_DATA))
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lint types layers spelling fast bench bench-env coverage lock

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /: /'

setup: $(WARM) ## install into .venv, so that .venv/bin/lvbo works

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install -q --require-hashes -r requirements.lock
	$(PYTHON) -m pip --python $(BIN)/python install -q --no-deps --no-build-isolation -e .
	@touch $@

$(WARM): $(INSTALLED) $(KERNELS)
	find src -name '*.nb[ic]' -delete
	$(BIN)/python -m lvbo.cli doctor --warm
	@touch $@

demo: setup ## the whole line on the bundled city, ending in a report
	$(BIN)/lvbo demo --out out/demo

test: setup check ## everything: format, lint, types, layers, spelling, tests
	$(BIN)/python $(TESTS)

fast: $(INSTALLED) ## the quick tests only
	$(BIN)/python $(TESTS) -m "not slow"

check: format lint types layers spelling ## format, lint, types, layers, spelling

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

layers: $(INSTALLED)
	$(BIN)/lint-imports

spelling: $(INSTALLED)
	$(BIN)/codespell

bench: setup ## our wave solver and plans beside others, as tables
	$(BIN)/lvbo bench bands
	$(BIN)/lvbo bench plans

bench-env: ## SUMO 1.9.2 and the RESCO maps, apart in .bench-env, for lvbo bench control --sumo 1.9.2
	$(PYTHON) -m venv --without-pip .bench-env
	$(PYTHON) -m pip --python .bench-env/bin/python install -q eclipse-sumo==1.9.2
	$(PYTHON) -m pip download -q --no-deps -d .bench-env/wheels sumo-rl==1.4.5
	$(PYTHON) -m zipfile -e .bench-env/wheels/sumo_rl-1.4.5-py3-none-any.whl .bench-env/unpacked
	mkdir -p .bench-env/maps && cp -R .bench-env/unpacked/sumo_rl/nets/RESCO/. .bench-env/maps/
	rm -rf .bench-env/unpacked

coverage: setup ## line and branch coverage, kernels run as plain Python
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest -m "not slow"
	$(BIN)/coverage report

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --upgrade \
	  --custom-compile-command "make lock" --quiet --output-file requirements.lock
