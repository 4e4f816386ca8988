#!/usr/bin/env bash
# Checks the C kernels against plain loops (Tests/KernelChecks), outside of the Swift package.
#
#   scripts/check-kernels.sh          for this machine, plain and under sanitizers
#   scripts/check-kernels.sh --all    also for other CPUs, emulated; needs gcc-aarch64-linux-gnu
#                                     (for its C library) and qemu-user-static
set -euo pipefail
cd "$(dirname "$0")/.."

CLANG="${CLANG:-clang}"
KERNELS=Sources/CBNNKernels
CHECKS=Tests/KernelChecks
BUILD=.build/kernel-checks
mkdir -p "$BUILD"

has() { command -v "$1" > /dev/null; }

# build NAME OPTION… compiles kernels and checks to one program.
build() {
  local name="$1"
  shift
  local sources
  mapfile -t sources < <(find "$KERNELS" "$CHECKS" -name '*.c' | sort)
  "$CLANG" -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffp-contract=off -I "$KERNELS/include" "$@" \
    "${sources[@]}" -o "$BUILD/$name" -lm -pthread
}

# emulated EMULATOR CPU PROGRAM
emulated() {
  if has "$1"; then
    "$1" -cpu "$2" "$BUILD/$3"
  else
    echo "skipped: $1 is not installed"
  fi
}

echo "-- this machine"
build native
"$BUILD/native"

echo "-- this machine, address and undefined behavior sanitizers"
# Checks of bounds keep loops from being vectorized, of which clang warns.
build sanitized -fsanitize=address,undefined -fno-sanitize-recover=all -fuse-ld=lld \
  -Wno-pass-failed
"$BUILD/sanitized"

[ "${1:-}" = --all ] || exit 0

echo "-- AArch64"
if has aarch64-linux-gnu-gcc; then
  build aarch64 --target=aarch64-linux-gnu -fuse-ld=lld -static
  emulated qemu-aarch64-static cortex-a72 aarch64
else
  echo "skipped: aarch64-linux-gnu-gcc is not installed"
fi

for cpu in Nehalem Haswell; do
  echo "-- x86-64, $cpu"
  if [ "$(uname -m)" = x86_64 ]; then
    emulated qemu-x86_64-static "$cpu" native
  else
    echo "skipped: this machine is not an x86-64"
  fi
done
