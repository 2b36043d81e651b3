# Everything a person needs: make run, make test. The environment is made once, in .venv, from pinned versions.

PORT ?= 8501
MDA5_STORE ?= store
export MDA5_STORE

PYTHON := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
RULES := $(wildcard pipelines/*/*.sql pipelines/*/*.toml site.toml) $(wildcard $(MDA5_SITE))

.PHONY: help run test check format bench pictures requirements clean
.DEFAULT_GOAL := help

help:
	@echo "make run      load the sample data into $(MDA5_STORE)/ and open the dashboard on http://127.0.0.1:$(PORT) (PORT=...)"
	@echo "make test     the whole test suite; browser tests run where Chromium is found"
	@echo "make check    ruff, formatting, and which module may import which"
	@echo "make format   put the code into the form that check asks for"
	@echo "make bench    the benchmarks, each beside its floor or peer"
	@echo "make pictures the pictures of the README, drawn anew from the sample data (needs Chromium)"
	@echo "make requirements   compile the pinned versions from pyproject.toml (needs uv)"
	@echo "make clean    remove the environment and the caches, never a store"

run: .venv/run $(MDA5_STORE)/CURRENT
	@echo "The dashboard opens on http://127.0.0.1:$(PORT)  (Ctrl+C ends it)"
	$(BIN)/python -m streamlit run dashboard/app.py --server.address 127.0.0.1 --server.port $(PORT) --server.headless true

# A new store is filled with the sample data; one that older rules judged is made again from the files it received.
$(MDA5_STORE)/CURRENT: $(RULES) | .venv/run
	@if [ -e $@ ]; then $(BIN)/python -m pipelines rebuild; else \
	$(BIN)/python sample_data/cohort/generate.py --out .sample_cohort && \
	$(BIN)/python -m pipelines load sample_data/yonsei_2021 sample_data/published_cases .sample_cohort; fi

test: .venv/dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 15 --durations-min 5

# Every check runs, and all their faults are shown, before it fails.
check: .venv/dev
	@failed=0; for step in "ruff check ." "ruff format --check ." "lint-imports"; do \
	echo "$$step"; $(BIN)/$$step || failed=1; done; exit $$failed

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev
	$(BIN)/python -m tests.benchmarks

pictures: .venv/dev
	$(BIN)/python -m tests.browser.pictures

.venv/run: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --custom-compile-command "make requirements" --quiet
requirements:
	$(COMPILE) -o requirements.txt
	$(COMPILE) --group dev --constraint requirements.txt -o requirements-dev.txt

clean:
	rm -rf .venv .sample_cohort .pytest_cache .ruff_cache .hypothesis .import_linter_cache
