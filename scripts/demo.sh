#!/usr/bin/env bash
# Converts the trained network in fixtures/digits, verifies the result, and shows its size and its
# accuracy on the recorded test images.
set -euo pipefail
cd "$(dirname "$0")/.."
swift="${SWIFT:-swift}"
digits=fixtures/digits

echo "Building in release mode ..."
"$swift" build -c release
commands="$("$swift" build -c release --show-bin-path)"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

show() { echo; echo "\$ $(basename "$1") ${*:2}" | sed "s|$folder/||g"; "$@"; }

show "$commands/bnnconvert" "$digits/model.onnx" "$folder/digits.bnn"
show "$commands/bnnverify" "$digits/model.onnx" "$folder/digits.bnn" \
  --input "$digits/inputs.npy" --expected "$digits/expected.npy"
show "$commands/bnnrun" "$folder/digits.bnn" \
  --input "$digits/inputs.npy" --labels "$digits/labels.npy"

bytes() { wc -c <"$1" | tr -d ' '; }
before="$(bytes "$digits/model.onnx")"
after="$(bytes "$folder/digits.bnn")"
echo
echo "Size: $before bytes as ONNX, $after bytes as .bnn" \
  "($(awk "BEGIN { printf \"%.1f\", $before / $after }") times smaller)"
