# Every command sets up what it needs in .venv first; a second run starts at once.
# PYTHON may name the interpreter; else the first on the path that is 3.11 or later is taken.

PYTHON ?= python3
export PYTHON
SEED ?= 1
# Every process compiles all tests anew where this is set, which takes longer than many of them.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
SERVERS := .venv-servers
PY := $(VENV)/bin/python
# What each part is checked over; the parts that aren't there yet are left out.
CODE := $(wildcard src tests examples benchmarks notebooks scripts)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test slow browser servers faults soak check lint types imports bench trust-sim quality format docs pin clean FORCE

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/demo.stamp  ## Run examples/ops_agent, an agent on all six rungs; LADDER_MODEL=openai:... for a real model
	@scripts/provider $(VENV)
	@$(PY) -m examples.ops_agent

test: $(VENV)/dev.stamp  ## Run the tests and the doctests, but for the slow ones
	@mkdir -p build
	$(PY) -m pytest -n 2

slow: $(VENV)/dev.stamp  ## Run the slow tests: those that start processes, kill them, or go through every combination
	@mkdir -p build
	$(PY) -m pytest -n 2 -m "slow and not faults and not browser and not servers"

browser: $(VENV)/dev.stamp  ## Run the tests of the pages, in a real browser
	@mkdir -p build
	$(PY) -m pytest -n 2 -m browser tests/browser

servers: $(VENV)/dev.stamp $(SERVERS)/stamp  ## Run the tests of examples/server, on LangGraph's own server and on aegra
	@mkdir -p build
	$(PY) -m pytest -m servers tests/servers

faults: $(VENV)/dev.stamp  ## Run the long tests of crashes and races, which `make test` runs a part of
	$(PY) -m pytest -n 2 -m faults

soak: $(VENV)/dev.stamp  ## Kill the processes of a fleet and its database for ten minutes, check from outside, and write docs/soak.md
	$(PY) -m tests.soak --minutes 10 --seed $(SEED) --docs

check: lint types imports test slow browser servers  ## Run everything: format, lint, types, import contracts, tests, docs

lint: $(VENV)/dev.stamp  ## Check format and lint
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m ruff check $(CODE)

types: $(VENV)/dev.stamp  ## Check types
	$(PY) -m mypy

imports: $(VENV)/dev.stamp  ## Check the import contracts
	$(VENV)/bin/lint-imports

bench: $(VENV)/dev.stamp  ## Measure, beside other gates too, and write docs/benchmarks.md
	@mkdir -p build
	@scripts/peers
	$(PY) -m benchmarks
	$(PY) -m benchmarks.page

trust-sim: $(VENV)/dev.stamp  ## Simulate how trust is earned, and write docs/trust-sim.md
	$(PY) -m benchmarks.trust_sim

quality: $(VENV)/dev.stamp  ## Print coverage, mutation score and counts of the tests; SAMPLE=300 draws more mutants
	nice $(PY) -m scripts.quality $(if $(SAMPLE),--mutants $(SAMPLE))

format: $(VENV)/dev.stamp  ## Format the code and mend what lint can mend
	$(PY) -m ruff check --fix-only --quiet $(CODE)
	$(PY) -m ruff format $(CODE)

docs: $(VENV)/dev.stamp  ## Write the generated pages of docs/ anew
	$(PY) -m scripts.draw_states
	$(PY) -m scripts.write_schema
	$(PY) -m scripts.write_dashboard
	$(PY) -m scripts.misuse
	$(PY) -m scripts.quality.page

pin:  ## Write constraints.txt anew, with the newest versions
	scripts/pin

clean:  ## Remove everything that make made
	rm -rf $(VENV) $(SERVERS) build dist .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/demo.stamp: pyproject.toml constraints.txt
	@scripts/setup $(VENV) cli,langchain,watch
	@touch $@

# What the tests need includes what the demo needs.
$(VENV)/dev.stamp: pyproject.toml constraints.txt
	@scripts/setup $(VENV) dev
	@scripts/chromium
	@touch $(VENV)/demo.stamp $@

# Where they can't be installed there is no such folder, and the tests say why they are skipped.
$(SERVERS)/stamp: pyproject.toml constraints.txt $(wildcard examples/server/*.txt)
	@scripts/servers
	@test ! -d $(SERVERS) || touch $@

# In a copied or moved tree the stamps speak of another place.
ifneq ($(shell cat $(VENV)/where 2>/dev/null),$(CURDIR))
$(VENV)/demo.stamp $(VENV)/dev.stamp $(SERVERS)/stamp: FORCE
endif
