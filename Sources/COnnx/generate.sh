#!/bin/sh
# Makes onnx.pb-c.c and include/onnx.pb-c.h from onnx.proto. Needs protoc-c and the
# descriptions that it imports (Debian: protobuf-c-compiler, libprotobuf-c-dev, libprotobuf-dev;
# Homebrew: protobuf-c). Run it after every change to onnx.proto.
set -eu
cd "$(dirname "$0")"

include=$(pkg-config --variable=includedir libprotobuf-c)
protoc-c --proto_path=. --proto_path="$include" --c_out=. onnx.proto
note='/* Made by Sources/COnnx/generate.sh from onnx.proto: do not edit. */'
for file in onnx.pb-c.c onnx.pb-c.h; do
  { echo "$note"; cat "$file"; } > "$file.new"
  mv "$file.new" "$file"
done
mv onnx.pb-c.h include/onnx.pb-c.h
