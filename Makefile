# Every target that needs Python makes .venv first; nothing outside this folder is touched but by system-deps.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
SECONDS ?= 0
FUZZ_SECONDS ?= 60
FUZZ_FRAMES ?= 10000000
MINUTES ?= 10
BROKER ?= mosquitto
ONLY ?=
DOORS ?= 400
LESSONS ?= 60
# Many tests wait rather than compute: two workers a core, and not more than memory likes.
WORKERS ?= $(shell n=$$((2 * $$(getconf _NPROCESSORS_ONLN))); echo $$((n < 8 ? n : 8)))
PARALLEL := -n $(WORKERS) --dist loadgroup
MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Containers like to forbid it; then each program that a test starts compiles our sources anew, and so does each worker.
export PYTHONDONTWRITEBYTECODE =

.PHONY: arm-check fit setup demo test check bench accuracy soak readers-soak fuzz docs gallery conformance calibration system-deps test-timescale clean pins
.DEFAULT_GOAL := setup

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "Stockgate needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Say which with: make PYTHON=python3.11 ..." >&2; exit 2; }
	@echo "Making $(VENV) (once; about a minute) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet -r requirements/dev.txt
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/stockgate-edge warm
	@$(BIN)/stockgate-sim warm
	@touch $@

demo: setup
	@$(BIN)/stockgate demo --seconds $(SECONDS)

test: check
	@$(BIN)/python -m pytest tests $(PARALLEL) $(PYTEST_ARGS)
	@NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest tests/unit/edge/test_llrp_framing.py tests/unit/edge/test_llrp_reports.py tests/unit/edge/test_windows_evidence.py tests/unit/edge/test_windows_kernels.py tests/unit/edge/test_windows_model.py tests/unit/simulator/test_radio_links.py -n 2 -q

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: setup
	@$(BIN)/python -m tests.bench bench --only '$(ONLY)'

accuracy: setup
	@$(BIN)/python -m tests.bench accuracy --only '$(ONLY)'

fit: setup
	@$(BIN)/python -m pip install --quiet -r requirements/fit.txt
	@$(BIN)/python -m tests.fit --doors $(DOORS) --lessons $(LESSONS)

soak: setup
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES) --broker '$(BROKER)'

readers-soak: setup
	@$(BIN)/python -m tests.helpers.eight_readers --minutes $(MINUTES)

fuzz: setup
	@$(BIN)/python -m tests.helpers.fuzz --seconds $(FUZZ_SECONDS)
	@$(BIN)/python -m tests.helpers.fuzz_messages --seconds $(FUZZ_SECONDS)
	@$(BIN)/python -m tests.helpers.fuzz_frames --frames $(FUZZ_FRAMES)

docs: setup
	@$(BIN)/python -m tests.helpers.docs

gallery: setup
	@$(BIN)/python -m tests.helpers.gallery $(ONLY)

conformance: setup
	@$(BIN)/python -m tests.helpers.conformance

calibration: setup
	@$(BIN)/python -m tests.helpers.calibration

test-timescale: setup
	@deploy/timescaledb/run-tests

arm-check: setup
	@deploy/arm/check

system-deps:
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends mosquitto chromium tshark postgresql debootstrap openssl

pins: setup
	@requirements/compile

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
