# make kws    the whole flow for keyword spotting; needs nothing but what .ci/check-host.sh names
# make test   lint, types, all quick tests; what CI runs
# make accuracy   the accuracy table of all trained networks; needs their test sets; resumes
# make compare-hls4ml   the same QKeras models through stock hls4ml and through this; resumes

# programs are started as modules: a script's first line cannot hold every path that a clone may have
PYTHON_ENV := .venv/bin
JOBS ?= 2
# all tests of a file in one process: they share what the file's fixtures build
PYTEST := $(PYTHON_ENV)/python -m pytest -n $(JOBS) --dist loadfile

.PHONY: help setup kws test lint regress bench accuracy compare-hls4ml clean

help:
	@sed -n 's/^# make/make/p' Makefile

setup:
	@sh .ci/setup.sh

# OPTIONS: more of flow/build.py's, see its --help
kws: setup
	$(PYTHON_ENV)/python flow/build.py --model kws $(OPTIONS)

lint: setup
	$(PYTHON_ENV)/python -m ruff check flow tests models rtl_sim
	$(PYTHON_ENV)/python -m mypy

test: lint
	$(PYTEST) -m "not slow"

# everything, the slow tests included
regress: lint
	$(PYTEST)

# every figure of kws beside its goal, measured from empty caches; integer inference of all networks
bench: setup
	$(PYTHON_ENV)/python flow/bench.py --model kws
	$(PYTHON_ENV)/python flow/bench_inference.py

# reports/accuracy.json and the table of README.md
# OPTIONS: --float-models FOLDER measures the float models as well, --force every row again
accuracy: setup
	$(PYTHON_ENV)/python flow/build.py accuracy $(OPTIONS)

# tables of docs/compare-hls4ml.md and README.md; OPTIONS: --force measures every row again
compare-hls4ml: setup
	$(PYTHON_ENV)/python -m flow.peers $(OPTIONS)

clean:
	rm -rf build sim_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
