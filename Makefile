# Apus. A new user needs two commands: `make test` and `make demo`.

.DEFAULT_GOAL := help
.PHONY: help setup build test demo lint format bench bench-layout bench-bare crash crash-quick hostile sdk flights-year clean abi abi-generate abi-check abi-baseline spikes swap-headline swap-tests

# Only what exists: folders appear as the project grows.
swift_sources := $(wildcard Package.swift Sources sdk Plugins samples Tests)

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup:  ## Check the Swift toolchain and install the missing Debian packages
	@dev/setup

build: setup  ## Build everything, optimised
	swift build -c release

test: setup lint abi-check  ## Check the format, build, and run all tests
	swift build --build-tests
	@dev/run-tests
	@echo
	python3 Tests/Crash/crash.py --quick
	@echo
	dev/build-sdk --bin .build/debug --optional-rust --no-new-projects
	@echo
	python3 Tests/Hostile/hostile.py
	@echo
	python3 Tests/Swap/swap.py --quick
	@echo
	@echo "passed: toolchain and packages, format, build without warnings, all tests, crashes, SDKs, hostile plugins, swaps"

demo: build  ## Build and run the demonstration
	@dev/demo

lint:  ## Check the format; changes nothing
	swift format lint --strict --parallel --recursive $(swift_sources)

format:  ## Format all Swift files in place
	swift format format --in-place --parallel --recursive $(swift_sources)

swap-headline: build  ## Print what swaps of a running job cost: some ten minutes, best without other work
	@dev/swap-headline

bench: build  ## Build and run all benchmarks
	.build/release/apus bench all

crash: setup  ## Kill jobs at every step, break their disks, and compare with oracles: half an hour
	swift build
	python3 Tests/Crash/crash.py

crash-quick: setup  ## A quick part of that, which is also in 'make test': at most three minutes
	swift build
	python3 Tests/Crash/crash.py --quick

hostile: setup  ## Run plugins that misbehave in every known way: two to three minutes
	swift build --product apus
	python3 Tests/Hostile/hostile.py

swap-tests: setup  ## Swap operators of running jobs, well and badly, and kill them at every step: ten minutes
	swift build --product apus
	python3 Tests/Swap/swap.py

sdk:  ## Build and check the sample operators in C, C++, Rust and Swift, and the SDKs
	@dev/setup $$(command -v cargo >/dev/null || echo rustc cargo)
	swift build -c release
	dev/build-sdk

flights-year:  ## Download one year of flights for the flights sample
	python3 samples/flights/fetch_year.py

clean:  ## Remove what was built
	rm -rf .build out samples/*/out

bench-layout:  ## Compare the two layouts of keys and values (docs/decisions)
	@mkdir -p .build
	$(CC) -O2 -std=c11 -Wall -Wextra Tests/Performance/slice_layout.c -o .build/slice-layout
	.build/slice-layout

bench-bare:  ## The bare loop that docs/benchmarks.md compares with
	@mkdir -p .build
	$(CC) -O2 -std=c11 -Wall -Wextra Tests/Performance/bare_loop.c -o .build/bare-loop -lpthread
	.build/bare-loop

abi-generate:  ## Write all files that are made from the headers of the plugin ABI
	python3 sdk/abi/describe.py

abi-check:  ## Fail when one of them is not what the headers give, or plugins of before would break
	python3 sdk/abi/describe.py --check
	python3 sdk/abi/test_abi.py --quiet
	python3 sdk/abi/compile_headers.py

abi: abi-check  ## The same, and compare types with libabigail's records
	@dev/setup --with-abigail
	python3 sdk/abi/baseline.py check
	python3 sdk/abi/baseline.py selftest

abi-baseline:  ## Record the current headers for that
	@dev/setup --with-abigail
	python3 sdk/abi/baseline.py write

spikes:  ## Answer what the plugin ABI relies on, by experiment (docs/decisions)
	python3 Tests/Spikes/run.py
