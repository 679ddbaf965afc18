# make play    install what is missing, build, and open the window with the default model
# make test    install what is missing, build, and run every test
# make test-gpu  the tests of the paths to graphics cards, on software Vulkan where there is no card
# make check   formatting, lints as errors, licences and advisories of every dependency
# make package a folder and an archive in dist/ that run on other machines of this kind, graphics cards included
# make bench   how fast the default model runs on this machine

# A machine that checks many commits keeps its build outside the checkout, where the next checkout finds it.
ifeq ($(CI),true)
  CACHE_HOME := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
  export CARGO_TARGET_DIR ?= $(CACHE_HOME)/holdfast/target
else
  export CARGO_TARGET_DIR ?= $(CURDIR)/target
endif
# A fresh rustup is often not on the path of the shell that installed it.
export PATH := $(PATH):$(HOME)/.cargo/bin

BUILD_PACKAGES := pkg-config libudev-dev libwayland-dev
RUN_PACKAGES := libudev1 libwayland-client0 libvulkan1 libx11-6 libx11-xcb1 libxcursor1 libxi6 \
	libxkbcommon0 libxkbcommon-x11-0
# Tests open the window on a virtual display with software Vulkan.
TEST_PACKAGES := xvfb xdotool mesa-vulkan-drivers
# The video encoder is C++; its compiler brings that of C.
C_PACKAGES := $(if $(shell command -v c++),,g++)

CARGO_DENY_VERSION := 0.20.2
ADVISORIES := https://github.com/rustsec/advisory-db

.PHONY: play test test-gpu check package bench rust packages test-packages

play: rust packages
	cargo run --release --bin holdfast -- play $(ARGS)

test: rust test-packages
	cargo test --release --workspace --all-targets

test-gpu: rust test-packages
	cargo test --release -p holdfast-model --features gpu --test devices

# The cheapest first. Clippy takes the release profile too, so that build scripts are built once.
check: rust test-packages
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@$(CARGO_DENY_VERSION)
	cargo deny check licenses bans sources
	@if git ls-remote --exit-code $(ADVISORIES) HEAD >/dev/null 2>&1; then cargo deny check advisories; \
	else echo "make: $(ADVISORIES) cannot be reached: advisories not checked" >&2; fi

bench: rust packages
	cargo run --release --bin holdfast -- bench $(ARGS)

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
PACKAGE := holdfast-$(VERSION)-$(shell uname -s | tr A-Z a-z)-$(shell uname -m)
# CUDA is not on Macs.
PACKAGE_FEATURES := $(if $(filter Darwin,$(shell uname -s)),gpu,gpu cuda)

# The program finds the model beside it. Symbols are of no use to those who only play.
package: rust packages
	cargo build --release --bin holdfast --features "$(PACKAGE_FEATURES)"
	rm -rf dist/$(PACKAGE)
	mkdir -p dist/$(PACKAGE)/assets/models
	strip -o dist/$(PACKAGE)/holdfast $(CARGO_TARGET_DIR)/release/holdfast
	cp -R assets/models/pebble dist/$(PACKAGE)/assets/models/
	cp README.md LICENSE-APACHE LICENSE-MIT dist/$(PACKAGE)/
	tar -C dist -czf dist/$(PACKAGE).tar.gz $(PACKAGE)
	@echo "make: dist/$(PACKAGE).tar.gz"

rust:
	@command -v cargo >/dev/null || { echo "make: Rust is missing; install it from https://rustup.rs with:" \
	"curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" >&2; exit 1; }

packages: WANTED := $(C_PACKAGES) $(BUILD_PACKAGES) $(RUN_PACKAGES)
test-packages: WANTED := $(C_PACKAGES) $(BUILD_PACKAGES) $(RUN_PACKAGES) $(TEST_PACKAGES)

# Installs only what is missing, and says so. Where there is no apt, the packages are the user's to find.
packages test-packages:
	@command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || { \
	  echo "make: no apt on this machine: see that it has what these Debian packages hold: $(WANTED)" >&2; exit 0; }; \
	missing=; for package in $(WANTED); do \
	  case "$$(dpkg-query -W -f='$${db:Status-Abbrev}' $$package 2>/dev/null)" in ii*) ;; *) missing="$$missing $$package";; esac; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then as_root=; elif command -v sudo >/dev/null; then as_root="sudo"; else \
	  echo "make: these packages are missing; as root run: apt-get install$$missing" >&2; exit 1; fi; \
	echo "make: installing$$missing"; \
	$$as_root apt-get update -qq && \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing
