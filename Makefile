# mcpfleet: everything a newcomer runs. `make help` lists it.
#
# Caches live outside the checkout, so that a second clone starts warm: cargo's target directory and the
# programs of the local cluster under $XDG_CACHE_HOME/mcpfleet (default ~/.cache/mcpfleet).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mcpfleet
export CARGO_TARGET_DIR ?= $(CACHE)/target
export MCPFLEET_CACHE := $(CACHE)
export PATH := $(CACHE)/tools/bin:$(PATH)

# The cluster that targets use: a local one of this name, or, with CLUSTER=current, the kubectl context.
CLUSTER_NAME ?= mcpfleet
export CLUSTER_NAME
# Tests bring up a cluster of their own and take it down again, so that they never meet yours.
TEST_CLUSTER ?= mcpfleet-test

# Run a recipe line with the cluster's KUBECONFIG and PATH.
IN_CLUSTER = env="$$(e2e/cluster/cluster env)"; eval "$$env";

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'

## ---- for users

.PHONY: demo demo-down
demo: setup ## A working fleet on a local Kubernetes: build, deploy, use, change
	@e2e/scripts/demo

demo-down: ## Remove the demo and its cluster
	@e2e/scripts/demo-down

.PHONY: test test-full
test: lint test-unit test-conformance test-clients test-upstreams test-e2e ## Everything that CI runs

test-full: test test-conformance-full test-clients-full test-cluster ## And what takes longer: all pairs of eras, every MCP client, the local cluster's own test

## ---- the local cluster

.PHONY: cluster-up cluster-down cluster-env deploy images
cluster-up: ## Bring up the local cluster (builds it the first time)
	@e2e/cluster/cluster up

cluster-down: ## Take it down; nothing is left
	@e2e/cluster/cluster down

cluster-env: ## Print `export KUBECONFIG=...` for your shell
	@e2e/cluster/cluster env

images: setup ## Build the container images as tar files
	@e2e/scripts/images

deploy: setup ## Build and load images, install the charts into the cluster of KUBECONFIG
	@e2e/scripts/deploy

## ---- for developers

.PHONY: setup build lint fmt deny test-unit test-programs test-conformance test-conformance-full test-clients test-clients-full test-upstreams test-e2e test-cluster crds fuzz simulate
setup: ## Install what building needs (Debian packages as root, Rust target)
	@e2e/scripts/setup

build: setup ## Compile everything
	cargo build --workspace --locked

lint: setup deny ## rustfmt, clippy (warnings are errors), cargo-deny, shellcheck
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	shellcheck -x .ci/run e2e/scripts/* charts/*/tests/*.sh e2e/cluster/cluster
	gofmt -l e2e/cluster | (! grep .)

fmt: ## Format
	cargo fmt --all

deny: setup ## Licences, sources and duplicates of dependencies
	@e2e/scripts/setup cargo-deny
	cargo deny --log-level error check bans licenses sources

crds: setup ## Write what is generated from the types: CRD chart and reference
	cargo run -q --locked -p mcpfleet-crds --bin crdgen -- charts/mcpfleet-crds/templates docs/reference.md

fuzz: setup ## Fuzz the protocol crate, each target for FUZZ_SECONDS (60); the same inputs without a fuzzer are in `make test`
	@e2e/scripts/setup cargo-fuzz
	@e2e/scripts/fuzz

simulate: setup ## Run the autoscaling simulator; write its tables and plots into docs/
	cargo run -q --locked -p mcpfleet-e2e --bin simulate -- docs/autoscaling.md

test-unit: setup ## Unit, property, protocol and process tests; no cluster
	MCPFLEET_RUNTIME="$(CARGO_TARGET_DIR)/x86_64-unknown-linux-musl/debug/mcp-runtime" \
	  cargo test --workspace --exclude mcpfleet-e2e --locked
	cd e2e/cluster/image && go test ./...

# The programs that the tests run, as test-unit compiles them: another selection of packages would compile them anew.
test-programs: setup
	cargo test --workspace --exclude mcpfleet-e2e --locked --no-run

test-conformance: test-programs ## The official conformance suite through the runtime, where it translates between the eras
	e2e/scripts/conformance gateway legacy-modern modern-legacy

test-conformance-full: test-programs ## The suite in all four pairs of eras, and against the upstream itself
	e2e/scripts/conformance direct
	e2e/scripts/conformance gateway

test-clients: test-programs ## Official MCP clients, the latest of each language, through the runtime
	e2e/scripts/clients quick

test-clients-full: test-programs ## Every generation of the official MCP clients, in front of every server; servers that are programs
	e2e/scripts/clients all
	e2e/scripts/programs

test-upstreams: test-programs ## Real MCP servers of every kind behind the runtime: killed, stopped, changed
	e2e/scripts/upstreams matrix
	e2e/scripts/upstreams twelve

test-e2e: setup ## End-to-end tests on a cluster of their own
	@e2e/scripts/test-e2e $(TEST_CLUSTER)

test-cluster: ## The local cluster's own test: two side by side, and nothing left behind
	e2e/cluster/selftest
