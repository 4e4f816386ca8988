#!/usr/bin/env bash
# Installs the C libraries that the toolkit is built on, where they are missing. Says what it
# does; says and does nothing when everything is there.
#
#   scripts/install-dependencies.sh [--tests]    --tests: also ONNX's recorded test data, where
#                                                the package manager has it
set -euo pipefail

say() { echo "install: $*" >&2; }
fail() { say "error: $*"; exit 1; }

with_tests=false
case "${1:-}" in
  "") ;;
  --tests) with_tests=true ;;
  *) fail "unknown argument $1" ;;
esac

command -v "${SWIFT:-swift}" >/dev/null ||
  fail "Swift is not installed: version 6.2 or newer, from https://www.swift.org/install"

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed$'; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
if ! command -v pkg-config >/dev/null; then
  missing+=(pkg-config)
fi
have_library() { command -v pkg-config >/dev/null && pkg-config --exists "$1"; }

install_with_apt() {
  have_library libprotobuf-c || missing+=(libprotobuf-c-dev)
  have_library libzip || missing+=(libzip-dev)
  local wants_test_data=false
  if $with_tests && ! is_installed libonnx-testdata; then wants_test_data=true; fi
  if [ ${#missing[@]} -eq 0 ] && ! $wants_test_data; then return; fi

  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
    fail "neither root nor sudo here; ask for the Debian packages ${missing[*]} to be installed"
  say "apt-get update"
  as_root apt-get update -q >/dev/null || say "apt-get update failed; going on with the old lists"
  if $wants_test_data; then
    if apt-cache show libonnx-testdata >/dev/null 2>&1; then
      missing+=(libonnx-testdata)
    else
      say "no package libonnx-testdata here; the tests that use it are skipped"
    fi
  fi
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  say "apt-get install ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

install_with_brew() {
  have_library libprotobuf-c || missing+=(protobuf-c)
  have_library libzip || missing+=(libzip)
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  say "brew install ${missing[*]}"
  brew install --quiet "${missing[@]}" >&2
}

if command -v apt-get >/dev/null; then
  install_with_apt
elif command -v brew >/dev/null; then
  install_with_brew
elif ! have_library libprotobuf-c || ! have_library libzip; then
  fail "install pkg-config, protobuf-c and libzip with their headers, then try again"
fi

for library in libprotobuf-c libzip; do
  have_library "$library" || fail "pkg-config does not find $library; is PKG_CONFIG_PATH right?"
done
