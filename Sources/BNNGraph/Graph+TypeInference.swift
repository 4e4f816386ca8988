import BNNTensor

/// What type inference finds out about a graph's values.
package struct InferredTypes: Sendable {
  package let types: [ValueType?]
  private let known: [Tensor?]

  fileprivate init(types: [ValueType?], known: [Tensor?]) {
    self.types = types
    self.known = known
  }

  /// The elements of a small value that is the same whatever the inputs and the batch.
  package func knownValue(of id: ValueID) -> Tensor? {
    id.index < known.count ? known[id.index] : nil
  }
}

extension Graph {
  /// Finds the type of every value from the inputs' types, the batch left open.
  ///
  /// Operators know shapes of numbers only. So they are asked for several batch sizes, and an
  /// extent is fixed where all answers agree, or a multiple of the batch where it grows with it.
  public mutating func inferTypes() throws(GraphError) {
    for (index, type) in try inferredTypes().types.enumerated() {
      self[ValueID(index: index)].type = type
    }
  }

  /// As ``inferTypes()``, with the values of shape arithmetic; the graph is left as it is.
  package func inferredTypes() throws(GraphError) -> InferredTypes {
    try verify()
    let order = try topologicalOrder()
    let isOpen = inputs.contains { self[$0].type?.dimensions.contains(where: \.isBatch) ?? false }
    let batches = isOpen ? [2, 3, 7] : [1]
    var probes: [[OperandFact?]] = []
    for batch in batches { probes.append(try facts(batch: batch, order: order)) }
    var types: [ValueType?] = []
    var known: [Tensor?] = []
    for id in valueIDs {
      let facts = probes.compactMap { $0[id.index] }
      types.append(try merge(facts, batches: batches, of: id))
      known.append(
        facts.first?.value.flatMap { first in
          facts.allSatisfy { $0.value == first } ? first : nil
        })
    }
    return InferredTypes(types: types, known: known)
  }

  private func merge(
    _ facts: [OperandFact], batches: [Int], of id: ValueID
  ) throws(GraphError) -> ValueType? {
    guard let first = facts.first else { return nil }
    let irregular = GraphError.irregularBatch(
      value: self[id].name, batches: batches, shapes: facts.map(\.shape))
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

  /// What is known about every value for one batch size.
  private func facts(batch: Int, order: [Int]) throws(GraphError) -> [OperandFact?] {
    var facts = values.map { $0.constant.map { OperandFact($0) } }
    for id in inputs {
      facts[id.index] = try inputFact(id, batch: batch)
    }
    for index in order {
      let node = nodes[index]
      let operands = node.inputs.map { $0.flatMap { facts[$0.index] } }
      let results = try node.attempt { () throws(OperatorError) in
        try node.op.definition.facts(operands)
      }
      try node.checkOutputs(results.count)
      for (output, result) in zip(node.outputs, results) { facts[output.index] = result }
    }
    return facts
  }

  private func inputFact(_ id: ValueID, batch: Int) throws(GraphError) -> OperandFact {
    guard let type = self[id].type else { throw .inputWithoutType(name: self[id].name) }
    var extents: [Int] = []
    for dimension in type.dimensions {
      guard let extent = dimension.checkedExtent(batch: batch) else {
        throw .invalidInputType(name: self[id].name, type)
      }
      extents.append(extent)
    }
    let shape = Shape(extents)
    guard let count = shape.checkedCount, count <= ResultType.elementLimit else {
      throw .invalidInputType(name: self[id].name, type)
    }
    return OperandFact(elementType: type.elementType, shape: shape)
  }
}

extension Dimension {
  /// The extent for a batch of `size`, or nil when it is negative, 0 times the batch, or overflows.
  func checkedExtent(batch size: Int) -> Int? {
    switch self {
    case .fixed(let extent): return extent >= 0 ? extent : nil
    case .batch(let multiple):
      let (extent, overflow) = multiple.multipliedReportingOverflow(by: size)
      return overflow || multiple < 1 ? nil : extent
    }
  }
}

extension Node {
  func checkOutputs(_ count: Int) throws(GraphError) {
    try attempt { () throws(OperatorError) in
      guard outputs.count == count else {
        throw .wrongOutputCount(expected: count, found: outputs.count)
      }
    }
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
