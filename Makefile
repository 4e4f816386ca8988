# make demo   installs what is missing, converts a trained network, verifies it, prints its accuracy
# make test   installs what is missing and runs every test in release mode
# make kernels   checks the C kernels by themselves, also for other CPUs where emulators are there
# make supported   writes the table of docs/supported.md again; needs BNN_MODELS

SWIFT ?= swift

.PHONY: demo test build kernels supported format lint

demo:
	@scripts/install-dependencies.sh
	@SWIFT="$(SWIFT)" scripts/demo.sh

test:
	@scripts/install-dependencies.sh --tests
	$(SWIFT) test -c release -Xswiftc -enable-testing --disable-xctest

build:
	@scripts/install-dependencies.sh
	$(SWIFT) build -c release

kernels:
	scripts/check-kernels.sh --all

supported:
	BNN_UPDATE_DOCS=1 $(SWIFT) test -c release -Xswiftc -enable-testing --disable-xctest \
	  --filter AllModelsTests

format:
	$(SWIFT) format format --in-place --recursive Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
