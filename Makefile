# make chat   install, index ARTICLES (default: seeds/), open the chat at http://127.0.0.1:7860
# make test   lint, types and tests        make test-all   the slow ones too
# make test-milvus   what is skipped without Milvus Lite: installs it, and runs its tests
# make gate   fail if the questions on the seeds are answered worse than tests/questions/gates.toml allows
# make lint   ruff and mypy alone          make evaluate   measure on DATASET (default: questions on the seeds)

PYTHON ?= python3
ARTICLES ?= seeds
INDEX ?= index
DATASET ?= tests/questions/seeds.jsonl
BIN := .venv/bin

.PHONY: chat test test-all test-milvus slow lint evaluate gate clean
.DEFAULT_GOAL := chat

.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/installed-test: .venv/installed requirements-train.txt requirements-report.txt requirements-test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $@

chat: .venv/installed
	$(BIN)/python -m qa index "$(ARTICLES)" --index "$(INDEX)"
	$(BIN)/python ui.py --index "$(INDEX)"

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -m "not slow"

slow: .venv/installed-test
	$(BIN)/python -m pytest -m slow

test-all: test slow

MILVUS := tests/test_milvus_*.py tests/test_transfer.py tests/contract/test_backends.py tests/faults/test_kills_milvus.py

test-milvus: .venv/installed-test
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-milvus.txt
	$(BIN)/python -m pytest $(MILVUS)

evaluate: .venv/installed
	$(BIN)/python -m qa index "$(ARTICLES)" --index "$(INDEX)"
	$(BIN)/python -m qa evaluate "$(DATASET)" --index "$(INDEX)"

gate: .venv/installed
	set -e; index=$$(mktemp -d); trap 'rm -rf "$$index"' EXIT; \
	$(BIN)/python -m qa index seeds --index "$$index/index"; \
	$(BIN)/python -m qa evaluate tests/questions/seeds.jsonl --index "$$index/index" --gate tests/questions/gates.toml

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
