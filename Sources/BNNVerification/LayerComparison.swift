import BNNExport
import BNNFormat
import BNNGraph
import BNNTensor

/// Compares one layer of the runtime with the reference: both get the reference's inputs.
struct LayerComparison {
  private let index: Int
  private let layer: Layer
  private let model: BinaryModel
  private let lowered: LoweredModel
  private let canonical: Graph
  private let runner: LayerRunner
  /// For a real-valued layer that only gives bits: the same with the values before them.
  private let valueRunner: LayerRunner?
  /// For a layer that computes in integers: what it is compared with instead of the canonical graph.
  private let quantized: QuantizedReference?
  private(set) var result: ResultComparison
  /// How far a layer that computes in integers is from the canonical graph's real values, as a part
  /// of the largest of them; nil for any other.
  private(set) var distance: Double?

  init(
    _ index: Int, of model: BinaryModel, lowered: LoweredModel, canonical: Graph,
    tolerance: Double, threads: Int
  ) throws(VerificationError) {
    self.index = index
    layer = model.layers[index]
    self.model = model
    self.lowered = lowered
    self.canonical = canonical
    result = ResultComparison(layer.operation, tolerance: tolerance)
    quantized = QuantizedReference(layer.operation)
    distance = quantized == nil ? nil : 0
    runner = try LayerRunner(index, of: model, threads: threads)
    valueRunner =
      if let open = layer.operation.withValues {
        try LayerRunner(index, of: model, operation: open, threads: threads)
      } else {
        nil
      }
  }

  /// - Parameter reference: the values of the canonical graph.
  mutating func compare(_ reference: [ValueID: Tensor]) throws(VerificationError) {
    let input = { (value: Int) -> Tensor? in physical(value, reference) }
    let found = try runner.run(input)
    var values: (reference: Tensor, found: Tensor)?
    guard let quantized else {
      if let valueRunner, let before = try referenceValues(reference) {
        values = (before, try valueRunner.run(input)[0])
      }
      result.compare(layer.outputs.map { physical($0, reference) }, found, values)
      return
    }
    let before = try finished(quantized, .values, reference).first
    if let valueRunner, let before { values = (before, try valueRunner.run(input)[0]) }
    result.compare(try finished(quantized, quantized.epilogue.output, reference), found, values)
    if let before, let exact = try referenceValues(reference) {
      distance = max(
        distance ?? 0, relativeError(exact.floats, before.floats, largest: exact.largest))
    }
  }

  /// What a layer in integers gives for the reference's inputs, by its definition: the epilogue is
  /// that of the reference.
  private func finished(
    _ quantized: QuantizedReference, _ output: Epilogue.Output, _ reference: [ValueID: Tensor]
  ) throws(VerificationError) -> [Tensor] {
    guard let nodeIndex = lowered.layers[index].node, let result = layer.outputs.first,
      let x = physical(layer.inputs[0], reference),
      let shape = physical(result, reference)?.shape
    else { return [] }
    let node = canonical.nodes[nodeIndex]
    guard case .block(let block) = node.op else { return [] }
    let layout = lowered.values[result].permutation
    let values = quantized.values(of: x, shape: shape)
    let operands = node.inputs.dropFirst(block.core.inputCount).map {
      $0.flatMap { reference[$0] ?? canonical[$0].constant }
    }
    let epilogue = Epilogue(steps: quantized.epilogue.steps, output: output)
    let results = try attempt { () throws(GraphError) in
      try node.attempt { () throws(OperatorError) in
        let logical = try Transpose(permutation: layout.inverse).evaluate([values])[0]
        return try Block(core: .pointwise, epilogue: epilogue).evaluate([logical] + operands)
      }
    }
    return zip(results, epilogue.outputTypes).map { $0.physical(layout, as: $1) }
  }

  private func physical(_ value: Int, _ reference: [ValueID: Tensor]) -> Tensor? {
    let source = lowered.values[value]
    return (reference[source.value] ?? canonical[source.value].constant)?.physical(
      source.permutation, as: model.values[value].elementType)
  }

  /// What the reference's block computes before the bits, in the layer's layout.
  private func referenceValues(
    _ reference: [ValueID: Tensor]
  ) throws(VerificationError) -> Tensor? {
    guard let nodeIndex = lowered.layers[index].node, let output = layer.outputs.first else {
      return nil
    }
    let node = canonical.nodes[nodeIndex]
    guard case .block(var block) = node.op else { return nil }
    block.epilogue.output = .values
    let operands = node.inputs.map { $0.flatMap { reference[$0] ?? canonical[$0].constant } }
    let values = try attempt { () throws(GraphError) in
      try node.attempt { () throws(OperatorError) in try block.evaluate(operands)[0] }
    }
    return values.physical(lowered.values[output].permutation, as: .float32)
  }
}

extension [Int] {
  /// The permutation that undoes this one.
  fileprivate var inverse: [Int] {
    var inverse = self
    for (place, axis) in enumerated() { inverse[axis] = place }
    return inverse
  }
}
