# The doors into the project. Each target is one script, which says in its header why it does what it does.
.DEFAULT_GOAL := help
.PHONY: help setup run test check sqlx docs bench

help: ## print this list
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## install what running and testing need and this machine lacks
	@scripts/setup test

run: ## build Attune and start it with its own PostgreSQL and the demo pack
	@scripts/run

test: ## run every test against one private PostgreSQL
	@scripts/test

check: ## everything that has to hold before a change lands
	@.ci/run

sqlx: ## renew .sqlx/, the query metadata that builds without a database use
	@scripts/sqlx

docs: ## renew the pages of docs/ that come from the code
	@scripts/docs

bench: ## print how to measure
	@echo 'pure code:         cargo bench -p attune-core'
	@echo 'the whole system:  cargo run --release -p attune-bench -- --help'
