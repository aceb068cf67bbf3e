# Thin verbs over tools/deps, CMake and ctest.
BUILD    ?= build
PRESET   ?= release
JOBS     ?= $(shell nproc)
PREFIX   ?= /usr/local
CTEST     = ctest --test-dir $(BUILD) --output-on-failure --no-tests=error

.DEFAULT_GOAL := build

help:            ## list the verbs
	@grep -hE '^[a-z-]+: .*##|^[a-z-]+: +##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

deps:            ## install what the build needs (skips what is there)
	@tools/deps build

configure: deps
	@cmake --preset $(PRESET) -B $(BUILD) >/dev/null

build: configure ## build/gyre
	@cmake --build $(BUILD) --target gyre -j $(JOBS)

all: configure   ## the program, its tests and benchmarks
	@cmake --build $(BUILD) -j $(JOBS)

demo: build      ## the whole loop on generated data
	@$(BUILD)/gyre demo

docs: build      ## docs/commands and docs/settings.md from the rows of --help
	@$(BUILD)/gyre help --markdown docs

web-api: build   ## web/src/api/generated.ts from the server's OpenAPI document
	@tools/web_api $(BUILD)/gyre

web-shots: build ## pictures of each page of the web UI on the demo's data, in build/shots
	@tools/web_shots $(BUILD)

test: all        ## every test, repetitions scaled down
	@tools/deps test mlflow
	@GYRE_TEST_TIER=quick $(CTEST) -LE slow -j $(JOBS)

test-slow: all   ## the full counts
	@tools/deps test mlflow mlflow-older otlp package
	@GYRE_TEST_TIER=full $(CTEST) -L slow

check:           ## format, lint, sanitizers, fuzz
	@tools/deps build check
	@tools/check

bench: all       ## times and ratios against the peers
	@tools/deps bench mlflow
	@bench/run $(BUILD)

install: build   ## PREFIX=/usr/local, DESTDIR=: program, libraries, manual pages, completions, unit
	@cmake --install $(BUILD) --prefix $(PREFIX) --strip >/dev/null
	@echo "installed below $(DESTDIR)$(PREFIX); make uninstall removes it"

uninstall:       ## what `make install` put there; data and settings stay
	@packaging/uninstall $(PREFIX)

package: build   ## a .deb and an OCI image in build/package
	@tools/deps package
	@tools/package --build $(BUILD) deb image

fmt:             ## clang-format in place
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

clean:           ## remove the build folder
	@rm -rf $(BUILD)

.PHONY: help deps configure build all demo docs web-api web-shots test test-slow check bench install uninstall package fmt clean
