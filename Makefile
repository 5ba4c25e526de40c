# Everything here sets itself up in .venv: a machine with only Python 3.10+ is enough.
#   make demo        the main job on the embedded model; writes $(OUT)/sheet.png and report.json
#   make test        ruff, pyright, pytest, and the page's tests by Node
#   make test-host   the tests that need a real ComfyUI; the result is kept in docs/host-tests.txt
#   make release     whether this may be published: the registry's rules, host tests on these very files, a dated changelog
#   make pages       graphs, thumbnails and help pages anew from the nodes, in a ComfyUI that it starts
#   make test-ray    batches on a real Ray cluster of two nodes; installs ray (80 MB) into .venv
#   make fuzz        10,000 mutated files, texts, requests and graphs; the counts are kept in docs/fuzz.txt
#   make map         the map of folders and files in docs/design.md, from the files' own first sentences
# On Linux the registry's torch brings several GB of GPU libraries. For the small CPU build:
#   make demo PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
PIP_ARGS ?=
PYTEST_ARGS ?=
PYTEST_WORKERS ?= 2
OUT ?= out/demo
SEED ?= 0
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
NODE ?= node

export PYTHONUTF8 := 1
export TOKENIZERS_PARALLELISM := false
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: all setup demo test lint types pytest page test-host test-ray release pages fuzz map clean
all: test

setup: $(STAMP)

$(PY):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)

$(STAMP): requirements.txt requirements-dev.txt constraints.txt | $(PY)
	@echo "Installing what is needed into $(VENV) (the first time takes minutes) ..."
	$(PY) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-dev.txt -c constraints.txt
	@touch $@

demo: $(STAMP)
	$(PY) -m swf_core demo --out $(OUT) --seed $(SEED)

lint: $(STAMP)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types: $(STAMP)
	$(PY) -m pyright swf_core

# A file's tests stay in one process; each has one thread (tests/conftest.py).
pytest: $(STAMP)
	$(PY) -m pytest -n $(PYTEST_WORKERS) --dist loadfile -m "not host" $(PYTEST_ARGS)

test-ray: $(STAMP)
	$(PY) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) ray
	$(PY) -m pytest --slow tests/core/test_batch_ray.py $(PYTEST_ARGS)

page:
	@command -v $(NODE) >/dev/null || { echo "The page's tests need Node 18 or newer (nodejs.org); name it by NODE=..." >&2; exit 1; }
	$(NODE) --test tests/web/*.test.mjs

test: lint types pytest page
	@echo "Host tests, last run:"; sed -n '2,3p;$$p' docs/host-tests.txt
	@PYTHONPATH=tests $(PY) -m support.host_record

test-host: $(STAMP)
	$(PY) tests/host/run.py docs/host-tests.txt $(PYTEST_ARGS)

release: $(STAMP)
	$(PY) tests/support/release.py

pages: $(STAMP)
	$(PY) -m making

fuzz: $(STAMP)
	PYTHONPATH=tests $(PY) -m support.fuzz --out docs/fuzz.txt

map: $(STAMP)
	PYTHONPATH=tests $(PY) -m support.design_map

clean:
	rm -rf $(VENV) out build *.egg-info .pytest_cache .ruff_cache
