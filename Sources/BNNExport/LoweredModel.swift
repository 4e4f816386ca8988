import BNNFormat
import BNNGraph
import BNNTensor

/// A model made from a finished graph, and what became of the graph's nodes and values.
///
/// Most nodes become one layer. Layers in between change layouts: spatial values are stored with
/// the channels last, model inputs and outputs as the source has them.
public struct LoweredModel: Sendable {
  public var model: BinaryModel
  /// One entry per layer of the model.
  public var layers: [LoweredLayer]
  /// One entry per value of the model.
  public var values: [LoweredValue]

  /// Lowers a graph whose nodes are blocks and operators that only move elements.
  ///
  /// - Throws: ``ExportError/notLowerable(_:)`` with every node that has no layer.
  public init(lowering graph: Graph, provenance: Provenance) throws(ExportError) {
    var typed = graph
    do {
      try typed.verify()
      try typed.inferTypes()
    } catch {
      throw .graph(error)
    }
    var lowering = Lowering(typed)
    try lowering.run()
    model = BinaryModel(
      provenance: provenance, values: lowering.modelValues, inputs: lowering.inputs,
      outputs: lowering.outputs, layers: lowering.layers)
    layers = lowering.origins
    values = lowering.sources
    do {
      try model.validate()
    } catch {
      throw .format(error)
    }
  }
}

/// Where a layer comes from.
public struct LoweredLayer: Hashable, Sendable {
  /// The index of the graph's node; nil for a layer that only changes a layout or unpacks bits.
  public var node: Int?
}

/// Which graph value a value of the model holds.
public struct LoweredValue: Hashable, Sendable {
  public var value: ValueID
  /// Physical axis i is logical axis `permutation[i]`. Where there are more axes than the graph's
  /// value has, extents of 1 stand before its own.
  public var permutation: [Int]
}
