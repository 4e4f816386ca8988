import BNNFormat
import BNNTensor

/// How a model's inputs and outputs depend on the batch.
struct Batching {
  /// The model's batch is open.
  let isDynamic: Bool
  /// Any part of a batch gives the same part of the outputs: every input and output has the batch
  /// as its first dimension and nowhere else. A model with a fixed batch runs slices of that size.
  let isDivisible: Bool

  init(_ model: BinaryModel) {
    let values = (model.inputs + model.outputs).compactMap { index in
      model.values.indices.contains(index) ? model.values[index] : nil
    }
    isDynamic = values.contains { $0.dimensions.contains(where: \.isBatch) }
    let isDynamic = isDynamic
    isDivisible = values.allSatisfy { value in
      guard let first = value.dimensions.first else { return false }
      return first.isSliceable(isDynamic: isDynamic)
        && !value.dimensions.dropFirst().contains(where: \.isBatch)
    }
  }

  /// Checks the inputs of a run and finds the size of its batch.
  func request(
    _ model: BinaryModel, _ inputs: [String: Tensor]
  ) throws(RuntimeError) -> BatchRequest {
    let values = model.inputs.map { model.values[$0] }
    for name in inputs.keys.sorted() where !values.contains(where: { $0.name == name }) {
      throw .unknownInput(name: name, expected: values.map(\.name))
    }
    var tensors: [Tensor] = []
    var batch: Int?
    for value in values {
      guard let tensor = inputs[value.name] else { throw .missingInput(name: value.name) }
      guard
        value.elementType == tensor.elementType
          || (value.elementType == .float32 && tensor.elementType != .sign)
      else {
        throw .wrongType(
          input: value.name, expected: value.elementType, found: tensor.elementType)
      }
      if let own = try batchSize(of: tensor.shape, value) {
        if let batch, batch != own {
          throw .inconsistentBatch(input: value.name, expected: batch, found: own)
        }
        batch = own
      }
      tensors.append(tensor)
    }
    return BatchRequest(
      inputs: zip(tensors, values).map { InputSource($0, as: $1.elementType) }, batch: batch ?? 1,
      isDynamic: isDynamic,
      isDivisible: isDivisible)
  }

  /// The batch that a shape means: the size of an open one, or how many times the fixed one.
  /// - Returns: nil where the value does not depend on it.
  private func batchSize(of shape: Shape, _ value: ModelValue) throws(RuntimeError) -> Int? {
    let dimensions = value.dimensions
    let fault = RuntimeError.wrongShape(input: value.name, expected: dimensions, found: shape)
    guard shape.rank == dimensions.count else { throw fault }
    var batch: Int?
    for (axis, dimension) in dimensions.enumerated() {
      switch dimension {
      case .fixed(let extent) where axis == 0 && !isDynamic && isDivisible:
        guard extent > 0, shape[0] % extent == 0 else { throw fault }
        batch = shape[0] / extent
      case .fixed(let extent):
        guard shape[axis] == extent else { throw fault }
      case .batch(let multiple):
        guard multiple > 0, shape[axis] % multiple == 0 else { throw fault }
        let own = shape[axis] / multiple
        guard batch == nil || batch == own else { throw fault }
        batch = own
      }
    }
    return batch
  }
}

extension Dimension {
  /// Whether a first dimension can be cut.
  fileprivate func isSliceable(isDynamic: Bool) -> Bool {
    switch self {
    case .fixed(let extent): !isDynamic && extent > 0
    case .batch(let multiple): multiple == 1
    }
  }
}

/// A checked run: its inputs and the size of its batch.
struct BatchRequest {
  var inputs: [InputSource]
  var batch: Int
  var isDynamic: Bool
  var isDivisible: Bool

  /// A part of the batch that runs at once.
  struct Slice {
    /// The batch size of the plan.
    var batch: Int
    /// Which of how many equal parts begin here: the first dimension of every input and output
    /// is cut at `start / total`.
    var start: Int
    var total: Int
  }

  func slices(of length: Int) -> [Slice] {
    guard isDynamic else {
      // The plan's batch means nothing: it has the fixed size.
      return (0..<batch).map { Slice(batch: 1, start: $0, total: batch) }
    }
    guard isDivisible, batch > 0 else { return [Slice(batch: batch, start: 0, total: batch)] }
    return stride(from: 0, to: batch, by: length).map {
      Slice(batch: min(length, batch - $0), start: $0, total: batch)
    }
  }

  /// Memory for all results, which the slices fill.
  func emptyOutputs(_ model: BinaryModel) throws(RuntimeError) -> [OutputSink] {
    var sinks: [OutputSink] = []
    for index in model.outputs {
      let value = model.values[index]
      guard let shape = shape(of: value), let count = shape.checkedCount,
        count <= Buffer.maximumCount
      else { throw .tooLarge(bytes: nil, limit: Buffer.maximumCount) }
      sinks.append(OutputSink(type: value.elementType, shape: shape))
    }
    return sinks
  }

  private func shape(of value: ModelValue) -> Shape? {
    guard var shape = value.checkedShape(batch: batch) else { return nil }
    if !isDynamic, isDivisible {
      let (extent, overflow) = shape[0].multipliedReportingOverflow(by: batch)
      if overflow { return nil }
      shape.dimensions[0] = extent
    }
    return shape
  }
}
