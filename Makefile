# make demo | test | check | docs | bench | mutation | steps | planted | fuzz | faults | soak | live | parity | spread | sanitize | wheel | oldest | gallery | pictures | clean
PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find src CMakeLists.txt pyproject.toml -type f -not -name '*.pyc' -not -name '*.so')
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check docs bench mutation steps planted fuzz faults soak live parity spread sanitize wheel oldest gallery pictures clean

demo: .venv/installed
	$(BIN)/python examples/demo.py

test: .venv/tested
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests
	$(BIN)/python -m pytest --doctest-modules --pyargs handgrad

check: .venv/checked
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/documented
	$(BIN)/python -m docs.site.make
	$(BIN)/python -m pytest tests/documentation/built.py

bench: .venv/benched
	$(BIN)/python -m benchmarks.run

parity: .venv/tested
	$(BIN)/python -m tests.engines.parity

fuzz: .venv/tested
	$(BIN)/python -m tests.fuzz.run --seconds $(or $(SECONDS_OF_FUZZING),60)

soak: .venv/tested
	$(BIN)/python -m tests.faults.soak

faults: .venv/tested
	$(BIN)/python -m tests.faults.kills

live: .venv/tested
	$(BIN)/python -m tests.live.many

spread: .venv/tested
	$(BIN)/python -m tests.engines.lost

planted: .venv/tested
	$(BIN)/python -m tests.audit.measure

mutation: .venv/mutated
	$(BIN)/python -m tests.mutation

steps: .venv/tested
	$(BIN)/python -m tests.worked.long_training

sanitize: .venv/installed
	bash tests/native/sanitize.sh

pictures: .venv/tested
	$(BIN)/python -m tests.pictures.make

wheel: .venv/bin/python
	$(BIN)/python -m tests.packaging.environments wheel

oldest: .venv/bin/python
	$(BIN)/python -m tests.packaging.environments oldest

gallery: .venv/tested
	$(BIN)/python docs/gallery/make.py
	$(BIN)/python -m docs.man.make

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade pip

.venv/installed: .venv/bin/python $(SOURCES)
	$(PIP) .
	@touch $@

.venv/tested: .venv/bin/python $(SOURCES)
	$(PIP) ".[test,docs]"
	@touch $@ .venv/installed

.venv/checked: .venv/tested
	$(PIP) ".[check]"
	@touch $@

.venv/documented: .venv/tested
	$(PIP) ".[site]"
	@touch $@

.venv/mutated: .venv/tested
	$(PIP) ".[mutation]"
	@touch $@

.venv/benched: .venv/bin/python $(SOURCES)
	$(PIP) ".[bench]"
	@touch $@ .venv/installed

clean:
	rm -rf .venv build dist
