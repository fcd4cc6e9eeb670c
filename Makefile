# Everything a developer does here. `make demo` and `make test` set up all they need themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile -q --generate-hashes --python-version 3.13 --python-platform linux \
	--no-header --no-emit-index-url

.PHONY: help demo test unit bench bench-quick lint format images engine engine-stop down \
	asyncapi lock pictures clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1 \t/' | expand -t 22

demo: $(VENV)/ready engine ## from nothing to four charging cars
	@compose/engine.sh run $(BIN)/simuctl demo

test: $(VENV)/ready engine ## the whole test suite, unit and integration
	@compose/engine.sh run compose/compose_plugin.sh
	@compose/engine.sh run $(BIN)/simuctl images
ifdef PYTEST_ARGS
	compose/engine.sh run $(BIN)/python -m pytest $(PYTEST_ARGS)
else
	$(BIN)/python -m pytest tests/unit -n auto
	compose/engine.sh run $(BIN)/python -m pytest tests/integration
endif

unit: $(VENV)/ready ## the tests that need no engine
	$(BIN)/python -m pytest tests/unit -n auto $(PYTEST_ARGS)

bench: $(VENV)/ready engine ## what charge points cost, at 10, 50, 100 and 200 (a quarter of an hour)
	@mkdir -p build
	@compose/engine.sh run $(BIN)/python -m tests.benchmarks --json build/bench.json \
		--svg build/bench.svg --markdown build/bench.md $(BENCH_ARGS)

bench-quick: $(VENV)/ready engine ## the same at 10, in short
	@mkdir -p build
	@compose/engine.sh run $(BIN)/python -m tests.benchmarks --quick --sizes 10 \
		--json build/bench-quick.json $(BENCH_ARGS)

lint: $(VENV)/ready ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/ready ## let ruff write the code's shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

images: $(VENV)/ready engine ## build the container images
	@compose/engine.sh run $(BIN)/simuctl images

engine: $(VENV)/ready
	@PYTHON=$(BIN)/python compose/engine.sh start

engine-stop: ## end the Docker daemon, if make started it
	@compose/engine.sh stop

down: $(VENV)/ready ## remove the environment: charge points, volumes, broker, launcher
	@compose/engine.sh run $(BIN)/simuctl down --yes

asyncapi: $(VENV)/ready ## write down the MQTT interface as it is now
	$(BIN)/simuctl asyncapi > compose/asyncapi.yaml

lock: $(VENV)/ready ## choose the versions that go into the images
	$(LOCK) pyproject.toml -o launcher/requirements.lock
	$(LOCK) cp_image/requirements.in -c launcher/requirements.lock -o cp_image/requirements.lock

pictures: $(VENV)/ready ## draw the pictures of the dashboard anew
	$(BIN)/python -m tests.support.dashboard_pictures

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/ready: pyproject.toml compose/venv.sh
	@PYTHON=$(PYTHON) compose/venv.sh $(VENV)
	@touch $@
