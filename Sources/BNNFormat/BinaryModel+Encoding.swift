import BNNTensor

extension BinaryModel {
  /// The bytes of a `.bnn` file. Equal models give equal bytes.
  ///
  /// - Throws: ``FormatError/broken(_:)`` when the model does not keep the format's rules.
  public func encoded() throws(FormatError) -> [UInt8] {
    try validate()
    var records = RecordWriter()
    records.bytes.integer(layers.count)
    for layer in layers { records.layer(layer) }
    let (table, parameters, weights) = records.pool.encoded()
    let bytes = Container.encoded(
      [
        (.metadata, provenance.encoded()), (.values, encodedValues()),
        (.layers, records.bytes.bytes), (.tensors, table), (.parameters, parameters),
        (.weights, weights),
      ], features: features)
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
