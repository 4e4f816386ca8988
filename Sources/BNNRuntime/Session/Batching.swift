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
    if let name = unknownName(model, inputs) {
      throw .unknownInput(name: name, expected: model.inputs.map { model.values[$0].name })
    }
    var batch: Int?
    for index in model.inputs {
      let value = model.values[index]
      guard let tensor = inputs[value.name] else { throw .missingInput(name: value.name) }
      guard value.elementType.holds(tensor.elementType) else {
        throw .wrongType(
          input: value.name, expected: value.elementType, found: tensor.elementType)
      }
      if let own = try batchSize(of: tensor.shape, value) {
        if let batch, batch != own {
          throw .inconsistentBatch(input: value.name, expected: batch, found: own)
        }
        batch = own
      }
    }
    return BatchRequest(batch: batch ?? 1, isDynamic: isDynamic, isDivisible: isDivisible)
  }

  /// The first name in the alphabet that is no input's.
  private func unknownName(_ model: BinaryModel, _ inputs: [String: Tensor]) -> String? {
    var first: String?
    for name in inputs.keys
    where !model.inputs.contains(where: { model.values[$0].name == name }) {
      if let known = first, known < name { continue }
      first = name
    }
    return first
  }

  /// The batch that a shape means: the size of an open one, or how many times the fixed one.
  /// - Returns: nil where the value does not depend on it.
  private func batchSize(of shape: Shape, _ value: ModelValue) throws(RuntimeError) -> Int? {
    let dimensions = value.dimensions
    var fault: RuntimeError {
      .wrongShape(input: value.name, expected: dimensions, found: shape)
    }
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

/// A checked run: the size of its batch.
struct BatchRequest {
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

    /// Where the slice begins in a value whose whole batch has `count` elements.
    func firstElement(of count: Int) -> Int { total == 0 ? 0 : count / total * start }
  }

  /// How many slices of at most `length` there are.
  func sliceCount(length: Int) -> Int {
    guard isDynamic else { return batch }
    return isDivisible && batch > 0 ? (batch - 1) / length + 1 : 1
  }

  func slice(_ index: Int, length: Int) -> Slice {
    // The plan's batch means nothing where it has the fixed size.
    guard isDynamic else { return Slice(batch: 1, start: index, total: batch) }
    guard isDivisible, batch > 0 else { return Slice(batch: batch, start: 0, total: batch) }
    let start = index * length
    return Slice(batch: min(length, batch - start), start: start, total: batch)
  }
}

extension ElementType {
  /// Whether an input of this type takes tensors of another: real numbers all but bits, integers
  /// those that have no others.
  fileprivate func holds(_ other: ElementType) -> Bool {
    if self == other { return true }
    if self == .float32 { return other != .sign }
    guard let own = integerRange, let range = other.integerRange else { return false }
    return own.contains(range.lowerBound) && own.contains(range.upperBound)
  }
}
