# Quipu's commands. `make run` and `make test` need a Swift 6.3 toolchain in PATH and nothing else: on Debian 12 they
# install the packages that are missing.

.PHONY: run test build release bench-micro lint format dependencies test-dependencies
.DEFAULT_GOAL := build

# What swift format reads: all Swift sources but those that protoc wrote.
SWIFT_SOURCES = $$(find Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Benchmarks \
	-name .build -prune -o -name '*.swift' ! -name '*.pb.swift' -print)

## Starts the server on 127.0.0.1:8080, by config.json.
run: release
	@exec "$$(swift build --configuration release --show-bin-path)/quipu" serve --config config.json

## Runs every test: unit tests, one after the other so that deadlines mean something on two cores, then the integration
## tests against the real binary.
test: test-dependencies
	swift test --no-parallel
	@if [ -x Tests/Integration/run ]; then \
		QUIPU_BINARY="$$(swift build --show-bin-path)/quipu" Tests/Integration/run; \
	fi

build: dependencies
	swift build

release: dependencies
	swift build --configuration release --product quipu

## Measures parts of the log, the views and the server one by one, by the package in Benchmarks/.
bench-micro: dependencies
	swift package --package-path Benchmarks --allow-writing-to-package-directory benchmark

## Fails on a Swift file that `make format` would change, and on what it can't mend.
lint: dependencies
	swift format lint --strict --parallel $(SWIFT_SOURCES)

format: dependencies
	swift format --in-place --parallel $(SWIFT_SOURCES)

## Installs what is missing to build and run.
dependencies:
	@.ci/dependencies

## Installs what is missing to test.
test-dependencies:
	@.ci/dependencies --test
