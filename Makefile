# Everything a developer runs. POSIX make; each target builds what it needs in .venv and installs nothing twice.
#   make PYTHON=python3.12 test     uses another interpreter for the virtual environment

.POSIX:

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
SOURCES = core relay client broker_optional
ROOTS = core:relay:client:broker_optional
RUN = PYTHONPATH=$(ROOTS):tests $(BIN)/python
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
# What was tested; and what has no wheel (stem) built as pip will do it, without a warning.
TESTED = -c constraints.txt --use-pep517

.PHONY: help demo test lint check system-packages bench catalogue man venv package constraints lowest licences sbom clean

help:
	@echo 'make demo    a relay and a client on this machine: web traffic, a chat line and a file through them'
	@echo 'make test    lint, types, unit tests, and tests with real programs'
	@echo 'make lint    lint and types only'
	@echo 'make bench   measure what the project promises of speed, beside its peers'
	@echo 'make catalogue, make man   write core/CATALOGUE.md and deploy/man from the code'
	@echo 'make venv    only the virtual environment, with what developers need'
	@echo 'make package a source distribution and a wheel, in dist'
	@echo 'make clean   remove the virtual environment and all caches'

demo: $(VENV)/demo.stamp
	@$(RUN) -m support.demo

test: system-packages lint check

# Tests with real programs wait most of the time, so two run at once; those that measure run by themselves. All parts
# always run.
check: $(VENV)/dev.stamp
	@status=0; \
	echo '== unit and integration tests'; \
	$(RUN) -m pytest -q -n 2 --ignore=tests/system --ignore=tests/interop || status=1; \
	echo '== tests with real programs'; \
	$(RUN) -m pytest -q -n 2 --dist worksteal --durations=10 -m 'not alone' tests/system tests/interop || status=1; \
	echo '== tests that measure time'; \
	$(RUN) -m pytest -q -m alone tests/system || status=1; \
	exit $$status

lint: $(VENV)/dev.stamp
	@echo '== ruff'
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@echo '== mypy and pyright, side by side'
	@$(BIN)/mypy --no-error-summary $(SOURCES) tests & mypy=$$!; status=0; \
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python || status=1; \
	wait $$mypy || status=1; \
	exit $$status
	@echo '== import-linter'
	@PYTHONPATH=$(ROOTS) $(BIN)/lint-imports

system-packages:
	@sh tests/support/install-debian.sh

bench: system-packages $(VENV)/bench.stamp
	@$(RUN) -m bench $(BENCH)

catalogue: $(VENV)/dev.stamp
	@$(RUN) -m support.catalogue

man: $(VENV)/dev.stamp
	@$(RUN) -m support.manpages

venv: $(VENV)/dev.stamp

$(VENV)/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Mayfly needs Python 3.11 or newer, and $(PYTHON) is older or missing.' >&2; \
	  echo 'Name a newer one: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo '$(PYTHON) cannot make virtual environments. On Debian: apt-get install python3-venv' >&2; exit 1; }
	@echo '== $(VENV) with '`$(PYTHON) --version`
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/demo.stamp: $(VENV)/venv.stamp pyproject.toml constraints.txt
	@echo '== installing mayfly into $(VENV)'
	@$(PIP) install $(TESTED) -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/venv.stamp pyproject.toml constraints.txt
	@echo '== installing mayfly and the tools of developers into $(VENV)'
	@$(PIP) install $(TESTED) -e '.[dev]'
	@touch $@ $(VENV)/demo.stamp

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	@echo '== installing what the bench measures against into $(VENV)'
	@$(PIP) install $(TESTED) -e '.[dev,bench]'
	@touch $@ $(VENV)/dev.stamp $(VENV)/demo.stamp

package: $(VENV)/dev.stamp
	@$(BIN)/python -m build --no-isolation

# The newest versions that pyproject.toml allows. Run `make test` with them before they are committed.
constraints: $(VENV)/venv.stamp
	@rm -rf build/constraints
	@$(PYTHON) -m venv --without-pip build/constraints
	@$(PIP) --python build/constraints/bin/python install -e '.[dev]'
	@PYTHONPATH=tests build/constraints/bin/python -m release.constraints > build/constraints.txt
	@mv build/constraints.txt constraints.txt

# The unit and integration tests with the lowest versions that pyproject.toml allows. tests/unit/release is of the pins.
lowest: $(VENV)/dev.stamp
	@rm -rf build/lowest
	@$(PYTHON) -m venv --without-pip build/lowest
	@PYTHONPATH=tests $(BIN)/python -m release.lowest > build/lowest.txt
	@$(PIP) --python build/lowest/bin/python install -c build/lowest.txt --use-pep517 -e '.[dev]'
	@PYTHONPATH=$(ROOTS):tests build/lowest/bin/python -m pytest -q -n 2 \
	  --ignore=tests/system --ignore=tests/interop --ignore=tests/unit/release

licences: $(VENV)/dev.stamp
	@$(RUN) -m release.third_party

sbom: $(VENV)/venv.stamp
	@rm -rf build/sbom
	@$(PYTHON) -m venv --without-pip build/sbom/product
	@$(PYTHON) -m venv --without-pip build/sbom/tool
	@$(PIP) --python build/sbom/product/bin/python install $(TESTED) '.[native,redis]'
	@$(PIP) --python build/sbom/tool/bin/python install 'cyclonedx-bom>=7,<8'
	@build/sbom/tool/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file build/mayfly.cdx.json build/sbom/product/bin/python
	@echo '== build/mayfly.cdx.json'

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) tests -name __pycache__ -type d -prune -exec rm -rf {} +
