import BNNTensor

extension BinaryModel {
  /// Checks every rule of the format that is about meaning: names, extents, the order of layers,
  /// and that each layer's results are what its operation makes of its operands.
  public func validate() throws(FormatError) {
    do {
      try ModelChecker(self).check()
    } catch {
      throw .broken(error)
    }
  }
}

/// Walks a model and stops at the first broken rule, named with its value or layer.
struct ModelChecker {
  private let model: BinaryModel

  init(_ model: BinaryModel) { self.model = model }

  func check() throws(FormatError.Violation) {
    try at(.metadata) { () throws(FormatError.Rule) in try model.provenance.check() }
    var names: Set<[UInt8]> = []
    for index in model.values.indices {
      try atValue(index) { () throws(FormatError.Rule) in
        let value = model.values[index]
        try value.check()
        guard value.name.isEmpty || names.insert(Array(value.name.utf8)).inserted else {
          throw .duplicateName
        }
      }
    }
    try checkInterface()
    try checkFlow()
    for index in model.layers.indices {
      try atLayer(index) { () throws(FormatError.Rule) in try check(model.layers[index]) }
    }
  }

  // MARK: Parts

  private func checkInterface() throws(FormatError.Violation) {
    try at(.values) { () throws(FormatError.Rule) in
      guard !model.outputs.isEmpty else { throw .noOutputs }
      for index in model.inputs + model.outputs { try checkIndex(index) }
    }
    for list in [model.inputs, model.outputs] {
      var seen: Set<Int> = []
      for index in list {
        try atValue(index) { () throws(FormatError.Rule) in
          guard seen.insert(index).inserted else { throw .listedTwice }
          guard !model.values[index].name.isEmpty else { throw .emptyName }
        }
      }
    }
  }

  private func checkFlow() throws(FormatError.Violation) {
    var made = Set(model.inputs)
    var used = Set(model.outputs)
    for index in model.layers.indices {
      try atLayer(index) { () throws(FormatError.Rule) in
        for input in model.layers[index].inputs {
          try checkIndex(input)
          guard made.contains(input) else { throw .usedBeforeMade(value: input) }
          used.insert(input)
        }
        for output in model.layers[index].outputs {
          try checkIndex(output)
          guard made.insert(output).inserted else { throw .twoProducers(value: output) }
        }
      }
    }
    let inputs = Set(model.inputs)
    for index in model.values.indices {
      try atValue(index) { () throws(FormatError.Rule) in
        guard made.contains(index) else { throw .neverMade }
        guard used.contains(index) || inputs.contains(index) else { throw .neverUsed }
      }
    }
  }

  private func check(_ layer: Layer) throws(FormatError.Rule) {
    guard !layer.name.isEmpty else { throw .emptyName }
    try checkText(layer.name)
    let operands = layer.inputs.map { model.values[$0].type }
    let declared = layer.outputs.first.map { model.values[$0].dimensions } ?? []
    let results = try layer.operation.resultTypes(of: operands, declared: declared)
    guard results.count == layer.outputs.count else {
      throw .resultCount(expected: results.count, found: layer.outputs.count)
    }
    for (result, output) in zip(results, layer.outputs) {
      let found = model.values[output]
      guard result.elementType == found.elementType else {
        throw .resultType(expected: result.elementType, found: found.elementType)
      }
      guard result.dimensions == found.dimensions else {
        throw .resultDimensions(expected: result.dimensions, found: found.dimensions)
      }
    }
  }

  private func checkIndex(_ index: Int) throws(FormatError.Rule) {
    guard model.values.indices.contains(index) else { throw .valueIndex(index) }
  }

  // MARK: Places

  private func at(
    _ section: FileSection, item: FormatError.Item? = nil,
    _ body: () throws(FormatError.Rule) -> Void
  ) throws(FormatError.Violation) {
    do {
      try body()
    } catch {
      throw FormatError.Violation(error, section: section, item: item)
    }
  }

  private func atValue(
    _ index: Int, _ body: () throws(FormatError.Rule) -> Void
  ) throws(FormatError.Violation) {
    try at(.values, item: .value(index: index, name: model.values[index].name), body)
  }

  private func atLayer(
    _ index: Int, _ body: () throws(FormatError.Rule) -> Void
  ) throws(FormatError.Violation) {
    try at(.layers, item: .layer(index: index, name: model.layers[index].name), body)
  }
}

/// Text is short and printable.
private func checkText(_ text: String) throws(FormatError.Rule) {
  guard text.utf8.count <= FileLayout.maximumStringLength else {
    throw .stringTooLong(bytes: text.utf8.count)
  }
  let isControl = { (scalar: Unicode.Scalar) in
    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
  }
  guard !text.unicodeScalars.contains(where: isControl) else { throw .controlCharacter }
}

extension Provenance {
  fileprivate func check() throws(FormatError.Rule) {
    for text in [producer, sourceName] + passes { try checkText(text) }
    guard !sourceName.utf8.contains(UInt8(ascii: "/")) else { throw .sourceNameHasFolder }
    guard sourceBytes < 1 << 62 else { throw .integerTooLarge }
    for option in options {
      guard !option.key.isEmpty else { throw .emptyName }
      try checkText(option.key)
      try checkText(option.value)
    }
    for (a, b) in zip(options, options.dropFirst()) {
      guard a.key.utf8.lexicographicallyPrecedes(b.key.utf8) else { throw .optionOrder(key: b.key) }
    }
  }
}

extension ModelValue {
  fileprivate func check() throws(FormatError.Rule) {
    try checkText(name)
    guard elementType == .sign || elementType.isArrayType else { throw .valueType(elementType) }
    let ranks = (elementType == .sign ? 1 : 0)...FileLayout.maximumRank
    guard ranks.contains(dimensions.count) else { throw .valueRank(dimensions.count) }
    var count = 1
    for (axis, dimension) in dimensions.enumerated() {
      guard axis == 0 || !dimension.isBatch else { throw .batchNotFirst }
      let extent = dimension.extent(batch: 1)
      guard extent >= (dimension.isBatch ? 1 : 0) else { throw .extent(extent) }
      guard extent <= FileLayout.maximumElements / count else { throw .valueTooLarge }
      // An extent of 0 does not hide others: layers walk over axes whatever the others are.
      count *= max(extent, 1)
    }
    if elementType == .sign, case .batch? = dimensions.last { throw .dynamicExtent }
  }
}
