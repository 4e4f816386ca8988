import BNNTensor

extension BinaryModel {
  /// The bytes of a `.bnn` file. Equal models give equal bytes.
  ///
  /// - Throws: ``FormatError/broken(_:)`` when the model does not keep the format's rules.
  public func encoded() throws(FormatError) -> [UInt8] {
    try encoded(StoredTensor.Coding.allCases)
  }

  /// The bytes of a file in which tensors have the smallest of some codings, or else the raw one.
  func encoded(_ codings: [StoredTensor.Coding]) throws(FormatError) -> [UInt8] {
    try validate()
    var records = RecordWriter()
    records.bytes.integer(layers.count)
    for layer in layers { records.layer(layer) }
    let tensors = records.pool.encoded(codings)
    let bytes = Container.encoded(
      [
        (.metadata, provenance.encoded()), (.values, encodedValues()),
        (.layers, records.bytes.bytes), (.tensors, tensors.table),
        (.parameters, tensors.parameters), (.weights, tensors.weights),
      ], features: tensors.areCoded ? features.union(.codedTensors) : features)
    guard UInt64(bytes.count) <= FileLayout.maximumLength else {
      throw .broken(.init(.fileTooLarge(bytes: UInt64(bytes.count)), section: .header))
    }
    return bytes
  }

  private func encodedValues() -> [UInt8] {
    var writer = ByteWriter()
    writer.integer(values.count)
    for value in values {
      writer.string(value.name)
      writer.byte(StoredTensor.Kind(value.elementType).rawValue)
      writer.integer(value.dimensions.count)
      for dimension in value.dimensions { writer.integer(dimension.code) }
    }
    writer.integers(inputs)
    writer.integers(outputs)
    return writer.bytes
  }
}

extension RecordWriter {
  fileprivate mutating func layer(_ layer: Layer) {
    bytes.string(layer.name)
    bytes.integers(layer.inputs)
    bytes.integers(layer.outputs)
    operation(layer.operation)
  }
}

extension Provenance {
  fileprivate func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.string(producer)
    writer.string(sourceName)
    writer.integer(Int(sourceBytes))
    writer.integer(passes.count)
    for pass in passes { writer.string(pass) }
    writer.integer(options.count)
    for option in options {
      writer.string(option.key)
      writer.string(option.value)
    }
    return writer.bytes
  }
}

extension Dimension {
  /// Twice the extent or the multiple, plus 1 where it depends on the batch.
  fileprivate var code: Int { extent(batch: 1) << 1 | (isBatch ? 1 : 0) }
}
