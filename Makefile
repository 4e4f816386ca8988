# make demo   installs what is missing, converts a trained network, verifies it, prints its accuracy
# make test   installs what is missing and runs every test in release mode

SWIFT ?= swift

.PHONY: demo test build format lint

demo:
	@scripts/install-dependencies.sh
	@SWIFT="$(SWIFT)" scripts/demo.sh

test:
	@scripts/install-dependencies.sh --tests
	$(SWIFT) test -c release -Xswiftc -enable-testing --disable-xctest

build:
	@scripts/install-dependencies.sh
	$(SWIFT) build -c release

format:
	$(SWIFT) format format --in-place --recursive Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
