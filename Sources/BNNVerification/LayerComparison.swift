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
  private(set) var result: ResultComparison

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
    if let valueRunner, let before = try referenceValues(reference) {
      values = (before, try valueRunner.run(input)[0])
    }
    result.compare(layer.outputs.map { physical($0, reference) }, found, values)
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
