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
CORES="$(getconf _NPROCESSORS_ONLN)"
mkdir -p "$BUILD"

has() { command -v "$1" > /dev/null; }

# build NAME OPTION… compiles kernels and checks to one program, as many files at a time as there
# are cores. The options are the compiler's and the linker's.
build() {
  local name="$1" objects="$BUILD/$1.objects"
  shift
  rm -rf "$objects"
  mkdir -p "$objects"
  find "$KERNELS" "$CHECKS" -name '*.c' -print0 |
    xargs -0 -P "$CORES" -I SOURCE sh -c '
      source="$1" objects="$2"
      shift 2
      exec "$@" -c "$source" -o "$objects/$(echo "$source" | tr / -).o"' \
      sh SOURCE "$objects" "$CLANG" -std=gnu11 -O2 -g -Wall -Wextra -Werror \
      -Wno-unused-command-line-argument -ffp-contract=off -I "$KERNELS/include" "$@"
  "$CLANG" "$@" "$objects"/*.o -o "$BUILD/$name" -lm -pthread
}

# emulated EMULATOR CPU PROGRAM
emulated() {
  if has "$1"; then
    "$1" -cpu "$2" "$BUILD/$3"
  else
    echo "skipped: $1 is not installed"
  fi
}

build native
# Checks of bounds keep loops from being vectorized, of which clang warns. Two checks take most of
# the time to compile and find little: null pointers end in a report of the address sanitizer anyway,
# and sums of pointers that leave the address space do not occur without a wrong access.
build sanitized -fsanitize=address,undefined -fno-sanitize=null,pointer-overflow \
  -fno-sanitize-recover=all -fuse-ld=lld -Wno-pass-failed
"$BUILD/sanitized" > "$BUILD/sanitized.log" 2>&1 &
sanitized=$!
echo "-- this machine"
"$BUILD/native"
echo "-- this machine, address and undefined behavior sanitizers"
ended=0
wait "$sanitized" || ended=$?
cat "$BUILD/sanitized.log"
[ "$ended" -eq 0 ] || exit "$ended"

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
