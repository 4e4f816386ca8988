import BNNTensor

/// Where in a file a tensor's elements lie, little-endian and one after another.
struct StoredElements {
  var file: InputFile
  var offset: Int
  var byteCount: Int

  /// The tensor of all elements, which must be as many as the shape has.
  func tensor(type: ElementType, shape: Shape) throws(ImportFault) -> Tensor {
    let expected = shape.count * (type.bitWidth / 8)
    guard byteCount == expected else {
      throw ImportFault(.wrongByteCount(found: byteCount, expected: expected))
    }
    if type == .float32 {
      return Tensor(try file.floats(from: offset, count: shape.count), shape: shape)
    }
    return try file.bytes(from: offset, count: byteCount).withRawBytes {
      (bytes) throws(ImportFault) in
      try ElementBytes(bytes, count: shape.count).tensor(type: type, shape: shape)
    }
  }
}
