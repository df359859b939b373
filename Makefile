# The doors into the project. Each target is one script, which says in its header why it does what it does.
.DEFAULT_GOAL := help
.PHONY: help setup run test fast lint check trials sqlx docs bench

help: ## print this list
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## install what running and testing need and this machine lacks
	@scripts/setup test

run: ## build Attune and start it with its own PostgreSQL and the demo pack
	@scripts/run

test: ## run every test against one private PostgreSQL; `scripts/test FILTER` runs some
	@scripts/test

fast: ## run the quick part of the tests: what needs no database and starts no program
	@scripts/test --lib --bins

lint: ## format, words, dependencies and clippy, in that order
	@scripts/tidy
	@SQLX_OFFLINE=true cargo clippy --workspace --all-targets -- -D warnings

check: ## everything that has to hold before a change lands
	@.ci/run

trials: ## list what takes too long for the gate
	@scripts/trials

sqlx: ## renew .sqlx/, the query metadata that builds without a database use
	@scripts/sqlx

docs: ## renew the pages of docs/ that come from the code
	@scripts/docs

bench: ## print how to measure
	@echo 'pure code:         cargo bench -p attune-core'
	@echo 'the whole system:  cargo run --release -p attune-bench -- --help'
