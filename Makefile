.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check format lock bench docs
export PYTHON

help: ## Say what make can do here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything that Gatebell needs into .venv
	@scripts/setup

demo: setup ## Run the whole product with a rehearsal Slack, Teams and mailbox
	@exec .venv/bin/gatebell demo

serve: setup ## Run the server with your settings
	@exec .venv/bin/gatebell serve

test: ## Install what the tests need too, check the code and run every test
	@scripts/test

check: ## Lint, format, types, imports and shell scripts, without the tests
	@scripts/setup --tests
	@scripts/check

format: ## Format the code and mend what ruff can mend
	@scripts/setup --tests
	@.venv/bin/python -m ruff check --fix --quiet || true
	@.venv/bin/python -m ruff format --quiet

lock: ## Pin the dependencies of pyproject.toml anew
	@scripts/lock

bench: ## Measure the hot path
	@scripts/setup --tests
	@exec .venv/bin/python -m benchmarks

docs: ## Write the generated parts of the documentation anew
	@scripts/setup --tests
	@exec .venv/bin/python -m docs
