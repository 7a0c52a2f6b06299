# make kws    the whole flow for keyword spotting; needs nothing but what .ci/check-host.sh names
# make test   lint, types, all quick tests; what CI runs

PYTHON_ENV := .venv/bin
JOBS ?= 2

.PHONY: help setup kws test lint regress bench clean

help:
	@sed -n 's/^# make/make/p' Makefile

setup:
	@sh .ci/setup.sh

kws: setup
	$(PYTHON_ENV)/python flow/build.py --model kws

lint: setup
	$(PYTHON_ENV)/ruff check flow tests models rtl_sim
	$(PYTHON_ENV)/mypy

test: lint
	$(PYTHON_ENV)/python -m pytest -n $(JOBS) -m "not slow"

# everything, the slow tests included
regress: lint
	$(PYTHON_ENV)/python -m pytest -n $(JOBS)

# every figure of kws beside its goal, measured from empty caches
bench: setup
	$(PYTHON_ENV)/python flow/bench.py --model kws

clean:
	rm -rf build sim_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
