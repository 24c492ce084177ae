# Every target sets up what it needs by itself; a second call finds it there and is instant.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
# Tests run side by side; 'make test JOBS=1' shows one after the other.
JOBS ?= auto

.DEFAULT_GOAL := help
.PHONY: help setup system test-system assets demo demo-stop test test-postgresql test-spark test-slow test-exhaustive coverage lint format audit screenshots bench lock clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
	    while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done

setup: $(VENV)/ready ## make .venv from the hash-locked requirements, and what the system lacks

system:
	@tools/system-deps

# The stamps are written last: an interrupted set-up starts over.
$(VENV)/locked: requirements-dev.lock | system
	@echo "Making $(VENV) from $<"
	@"$$(tools/find-python)" -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input \
	    --require-hashes --only-binary :all: -r $<
	@touch $@

$(VENV)/ready: $(VENV)/locked pyproject.toml
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input \
	    --no-deps --no-build-isolation --editable .
	@$(PY) -c 'from clearhouse.proof.node import find_node; find_node()' 2>/dev/null || { \
	    echo "Getting Node.js as a Python wheel: this machine has none"; \
	    $(PY) -m pip install --quiet --disable-pip-version-check --no-input \
	        --require-hashes --only-binary :all: -r requirements-node.lock; }
	@touch $@

assets: setup ## get the style sheet, fonts and icons of the office's pages
	@$(PY) tools/static-assets

demo: setup assets ## prove vulnerabilities, date one, check a patch; then the office, filled
	@tools/demo

demo-stop: ## end the office that make demo started
	@CLEARHOUSE_HOME="$(CURDIR)/build/demo" $(VENV)/bin/clearhouse serve --stop

# What only tests need; those that miss it are skipped, and say so.
test-system: system
	@tools/system-deps tests || echo "The tests that need them are skipped." >&2

test: setup test-system ## run the tests, the slow ones left out
	$(PY) -m pytest -n $(JOBS) --dist worksteal -m "not slow and not exhaustive"

test-slow: setup test-system assets ## run the slow tests
	$(PY) -m pytest -n $(JOBS) --dist worksteal -m "slow and not exhaustive"

# A server of its own, in a temporary folder; 77 says that there is no PostgreSQL here.  Pages as
# everybody (tests/office/security) are asked on SQLite; their queries are in the rooms' own tests.
test-postgresql: setup test-system ## run the office's tests on PostgreSQL, the slow ones left out
	@$(PY) -m tests.office.postgresql $(PY) -m pytest -n $(JOBS) --dist worksteal -m "not slow and not exhaustive" tests/office --ignore=tests/office/security \
	    || { code=$$?; [ $$code -eq 77 ] || exit $$code; }

# Spark itself comes as a source distribution, which nothing else here does: it has a venv of its own.
build/spark/ready: requirements-spark.lock | setup
	@echo "Making build/spark from $<"
	@"$$(tools/find-python)" -m venv --clear build/spark
	@$(PY) -m uv pip install --quiet --python build/spark/bin/python --require-hashes \
	    --build-constraint $< -r $<
	@touch $@

test-spark: setup ## hold the join on two workers of Spark against DuckDB (needs Java 17)
	@$(MAKE) --no-print-directory build/spark/ready || { rm -rf build/spark; \
	    echo "Spark cannot be got here: its test is skipped." >&2; }
	$(PY) -m pytest -m slow tests/exposure/columnar/test_spark.py

test-exhaustive: setup ## every address as everybody in every state of a case, every feed whole (an hour)
	$(PY) -m pytest -n $(JOBS) --dist worksteal -m exhaustive

coverage: setup ## run the tests and show which lines none reached
	$(PY) -m pytest -n $(JOBS) --dist worksteal -m "not slow and not exhaustive" --cov --cov-report=term --cov-report=xml

lint: setup ## ruff, mypy and the layers
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

format: setup ## format the code
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

bench: setup ## measure the speeds recorded in docs/benchmarks.md
	PYTHONPATH=. $(PY) -m benchmarks

audit: setup ## hold the locked dependencies against OSV records: make audit ADVISORIES=FILE
	@$(VENV)/bin/clearhouse match --inventory requirements-dev.lock --advisories $(ADVISORIES)

screenshots: setup assets ## take the pictures of docs/images, of an office filled for it
	@$(PY) tools/screenshots

# The lock files name no registry: the client's own configuration decides where packages come from.
LOCK = $(PY) -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: setup ## bring the lock files up to date with pyproject.toml
	$(LOCK) $(LOCK_FLAGS) --extra evaluation --extra postgresql pyproject.toml -o requirements.lock
	$(LOCK) $(LOCK_FLAGS) -c requirements.lock pyproject.toml --group dev -o requirements-dev.lock
	$(LOCK) $(LOCK_FLAGS) requirements-node.in -o requirements-node.lock
	$(LOCK) $(LOCK_FLAGS) requirements-spark.in -o requirements-spark.lock

clean: ## remove what make made
	rm -rf $(VENV) build dist htmlcov .coverage* coverage.xml .hypothesis \
	    .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
