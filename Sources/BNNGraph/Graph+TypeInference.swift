import BNNTensor

/// What type inference finds out about a graph's values.
package struct InferredTypes: Sendable {
  package let types: [ValueType?]
  private let inference: TypeInference

  fileprivate init(types: [ValueType?], inference: TypeInference) {
    self.types = types
    self.inference = inference
  }

  /// The elements of a small value that is the same whatever the inputs and the batch.
  package func knownValue(of id: ValueID) -> Tensor? { inference.knownValue(of: id) }
}

extension Graph {
  /// Finds the type of every value from the inputs' types, the batch left open.
  public mutating func inferTypes() throws(GraphError) {
    for (index, type) in try inferredTypes().types.enumerated() {
      self[ValueID(index: index)].type = type
    }
  }

  /// As ``inferTypes()``, with the values of shape arithmetic; the graph is left as it is.
  package func inferredTypes() throws(GraphError) -> InferredTypes {
    try verify()
    var inference = TypeInference(isOpen: inputs.contains { self[$0].type?.isOpen ?? false })
    let given = Set(inputs)
    for id in valueIDs where self[id].constant != nil || given.contains(id) {
      try inference.add(id, self[id])
    }
    for index in try topologicalOrder() { try inference.add(nodes[index]) }
    var types: [ValueType?] = []
    for id in valueIDs { types.append(try inference.type(of: id, name: self[id].name)) }
    return InferredTypes(types: types, inference: inference)
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
  package func checkOutputs(_ count: Int) throws(GraphError) {
    try attempt { () throws(OperatorError) in
      guard outputs.count == count else {
        throw .wrongOutputCount(expected: count, found: outputs.count)
      }
    }
  }
}
