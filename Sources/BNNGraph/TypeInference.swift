import BNNTensor

/// Finds the types of values one node after the other, the batch left open.
///
/// Operators know shapes of numbers only. So they are asked for several batch sizes, and an extent
/// is fixed where all answers agree, or a multiple of the batch where it grows with it.
package struct TypeInference: Sendable {
  private let batches: [Int]
  /// What is known for each batch size, by the value's index.
  private var probes: [[OperandFact?]]

  /// - Parameter isOpen: whether some input has an open batch.
  package init(isOpen: Bool) {
    batches = isOpen ? [2, 3, 7] : [1]
    probes = batches.map { _ in [] }
  }

  /// Adds an input or a constant.
  package mutating func add(_ id: ValueID, _ value: Value) throws(GraphError) {
    for (probe, batch) in batches.enumerated() {
      let fact: OperandFact
      if let constant = value.constant {
        fact = OperandFact(constant)
      } else {
        guard let type = value.type else { throw .inputWithoutType(name: value.name) }
        fact = try type.fact(batch: batch, name: value.name)
      }
      set(fact, of: id, probe: probe)
    }
  }

  /// Adds a node whose inputs have been added.
  package mutating func add(_ node: Node) throws(GraphError) {
    for probe in probes.indices {
      let operands = node.inputs.map { $0.flatMap { fact(of: $0, probe: probe) } }
      let results = try node.attempt { () throws(OperatorError) in
        try node.op.definition.facts(operands)
      }
      try node.checkOutputs(results.count)
      for (output, result) in zip(node.outputs, results) { set(result, of: output, probe: probe) }
    }
  }

  /// The type of a value that has been added.
  package func type(of id: ValueID, name: String) throws(GraphError) -> ValueType? {
    let facts = probes.indices.compactMap { fact(of: id, probe: $0) }
    guard let first = facts.first else { return nil }
    let irregular = GraphError.irregularBatch(
      value: name, batches: batches, shapes: facts.map(\.shape))
    guard facts.allSatisfy({ $0.shape.rank == first.shape.rank }) else { throw irregular }
    var dimensions: [Dimension] = []
    for axis in 0..<first.shape.rank {
      let extent = first.shape[axis]
      let multiple = extent / batches[0]
      if facts.allSatisfy({ $0.shape[axis] == extent }) {
        dimensions.append(.fixed(extent))
      } else if zip(facts, batches).allSatisfy({ $0.shape[axis] == multiple * $1 }) {
        dimensions.append(.batch(multiple))
      } else {
        throw irregular
      }
    }
    return ValueType(first.elementType, dimensions)
  }

  /// The element type of a value that has been added.
  package func elementType(of id: ValueID) -> ElementType? { fact(of: id, probe: 0)?.elementType }

  /// The elements of a value that is the same whatever the inputs and the batch: a constant, or a
  /// small one that follows from constants and shapes.
  package func knownValue(of id: ValueID) -> Tensor? {
    guard let value = fact(of: id, probe: 0)?.value else { return nil }
    let isSame = probes.indices.dropFirst().allSatisfy { fact(of: id, probe: $0)?.value == value }
    return isSame ? value : nil
  }

  private func fact(of id: ValueID, probe: Int) -> OperandFact? {
    id.index < probes[probe].count ? probes[probe][id.index] : nil
  }

  private mutating func set(_ fact: OperandFact, of id: ValueID, probe: Int) {
    let missing = id.index + 1 - probes[probe].count
    if missing > 0 { probes[probe].append(contentsOf: repeatElement(nil, count: missing)) }
    probes[probe][id.index] = fact
  }
}

extension ValueType {
  /// Whether an extent depends on the batch.
  package var isOpen: Bool { dimensions.contains(where: \.isBatch) }

  fileprivate func fact(batch: Int, name: String) throws(GraphError) -> OperandFact {
    var extents: [Int] = []
    for dimension in dimensions {
      guard let extent = dimension.checkedExtent(batch: batch) else {
        throw .invalidInputType(name: name, self)
      }
      extents.append(extent)
    }
    let shape = Shape(extents)
    guard let count = shape.checkedCount, count <= ResultType.elementLimit else {
      throw .invalidInputType(name: name, self)
    }
    return OperandFact(elementType: elementType, shape: shape)
  }
}

extension Operator {
  /// The types of the results, and their elements where those of all operands are known and few:
  /// arithmetic on shapes, not on weights.
  fileprivate func facts(_ operands: [OperandFact?]) throws(OperatorError) -> [OperandFact] {
    let limit = 4096
    let types = try inferTypes(operands)
    var facts = types.map { OperandFact(elementType: $0.elementType, shape: $0.shape) }
    var results = try valuesFromShapes(operands)
    let isSmall =
      operands.allSatisfy { $0 == nil || ($0?.value?.count ?? .max) <= limit }
      && types.allSatisfy { $0.shape.count <= limit }
    if results == nil, isSmall { results = try evaluate(operands.map { $0?.value }) }
    for (index, result) in (results ?? []).enumerated() { facts[index].value = result }
    return facts
  }
}
