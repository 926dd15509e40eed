# Two commands: `make dev` runs Ward, `make test` tests it. Nothing else to set up.

NODE_OK := $(shell node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a===20&&b>=19)?0:1)' 2>/dev/null && echo yes)

.PHONY: dev test soak bench sdl explorer clients lint clean

## Build what is needed and run a Sandbox and a Production on this machine.
dev: explorer
	cargo run --profile quick --package ward -- dev

## Every test, on SQLite and PostgreSQL, and the explorer in a browser.
test: explorer clients
	cargo xtask test

## The long runs: 1,000 kills an engine, all documents, all mutations.
soak: explorer clients
	WARD_KILLS=1000 cargo xtask test --soak

## Speed against the physical limit: JSON and a table.
bench:
	cargo run --release --package ward-bench

## Write contract/served/*.graphql and contract/coverage.md anew from the bindings.
sdl:
	WARD_UPDATE=1 cargo test --package ward-server --test it contract
	cargo xtask coverage

## The explorer page, when Node.js 20.19 or later is here; the API works without.
explorer:
ifeq ($(NODE_OK),yes)
	@if [ ! -e web/explorer/dist/index.html ] || [ -n "$$(find web/explorer/src web/explorer/index.html web/explorer/package-lock.json -newer web/explorer/dist/index.html 2>/dev/null | head -n 1)" ]; then \
		cd web/explorer && npm ci --no-audit --no-fund && npm run build; fi
else
	@echo "NOT BUILT: the explorer needs Node.js 20.19 or later; GET /graphql then says how to get it."
	@[ "$$WARD_REQUIRE_ALL" != 1 ]
endif

## The libraries of clients that the tests run, unmodified.
clients:
ifeq ($(NODE_OK),yes)
	@for lock in tests/clients/*/package-lock.json; do \
		folder=$$(dirname $$lock); \
		if [ ! $$folder/node_modules/.package-lock.json -nt $$lock ]; then \
			(cd $$folder && npm ci --no-audit --no-fund) || exit 1; fi; done
else
	@echo "NOT RUN: the tests with unmodified clients need Node.js 20.19 or later."
	@[ "$$WARD_REQUIRE_ALL" != 1 ]
endif

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	cargo xtask tidy

clean:
	cargo clean
	rm -rf web/explorer/dist web/explorer/node_modules tests/clients/*/node_modules
