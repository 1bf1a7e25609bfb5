# Two commands: `make run` opens the dashboard, `make test` runs every test. Both set up .venv first.
PYTHON ?= python3
BIN = .venv/bin
PORT ?= 8501

.PHONY: run test audit lint screenshots bench clean

run: .venv/ready
	@echo "SkMM Dashboard: http://localhost:$(PORT)"
	$(BIN)/python -m streamlit run dashboard/app.py --server.port $(PORT) --logger.hideWelcomeMessage true

test: .venv/ready-for-tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

audit: .venv/ready-for-tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist load tests/audit --audit-figures assets/benchmarks/audit.json; \
		held=$$?; $(BIN)/python -m tests.audit.page && exit $$held

lint: .venv/ready-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

screenshots: .venv/ready-for-tests
	$(BIN)/python tests/browser/make_screenshots.py

bench: .venv/ready-for-tests
	$(BIN)/python -m skmm_core bench solver --out bench-solver.json
	$(BIN)/python -m skmm_core bench methods --out bench-methods.json
	$(BIN)/python -m tests.bench.mixture

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/ready: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/ready-for-tests: tests/requirements.txt .venv/ready
	$(BIN)/python -m pip install --quiet --requirement tests/requirements.txt
	touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
