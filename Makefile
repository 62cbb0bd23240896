# Two commands: `make demo` shows the whole thing, `make test` proves it. Both set up what they need first.
PYTHON ?= python3
BIN := .venv/bin
DIR ?= .demo
# A test run starts some hundred processes; without kept bytecode each of them would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test fast lint bench bench-road bench-adapters bench-ledger bench-mapping bench-inquiry clean
demo: .venv/.ready
	@$(BIN)/python -m syncd demo --dir $(DIR) $(ARGS)

test: .venv/.ready-test
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

fast: .venv/.ready-test
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m fast $(ARGS)

lint: .venv/.ready-test
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

bench: .venv/.ready-test
	@$(BIN)/python -m benchmarks.end_to_end $(ARGS)

bench-road: .venv/.ready-test
	@$(BIN)/python -m benchmarks.road $(ARGS)

bench-ledger: .venv/.ready-test
	@$(BIN)/python -m benchmarks.ledger $(ARGS)

bench-mapping: .venv/.ready-test
	@$(BIN)/python -m benchmarks.mapping $(ARGS)

bench-adapters: .venv/.ready-test
	@$(BIN)/python -m benchmarks.adapters $(ARGS)

bench-inquiry: .venv/.ready-test
	@$(BIN)/python -m benchmarks.inquiry $(ARGS)

clean:
	rm -rf .venv .demo

.venv/.ready: requirements.lock setup.sh
	@PYTHON=$(PYTHON) sh setup.sh requirements.lock .venv/.ready

.venv/.ready-test: requirements-test.lock setup.sh
	@PYTHON=$(PYTHON) sh setup.sh requirements-test.lock .venv/.ready-test
