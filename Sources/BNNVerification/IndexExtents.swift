import BNNFormat
import BNNGraph
import BNNTensor

extension Graph {
  /// The extents of the axes that inputs list positions of, by name of the input: seeded numbers
  /// must stay below them.
  var indexExtents: [String: Int] {
    var extents: [String: Int] = [:]
    for node in nodes {
      let axis: Int
      switch node.op {
      case .gather(let gather): axis = gather.axis
      case .gatherElements(let gather): axis = gather.axis
      case .scatterElements(let scatter): axis = scatter.axis
      default: continue
      }
      guard let x = node.input(0).flatMap({ self[$0].type }), let list = node.input(1),
        inputs.contains(list)
      else { continue }
      let place = axis < 0 ? axis + x.rank : axis
      guard x.dimensions.indices.contains(place) else { continue }
      extents.lower(self[list].name, to: x.dimensions[place])
    }
    return extents
  }
}

extension BinaryModel {
  /// As for a graph.
  var indexExtents: [String: Int] {
    var extents: [String: Int] = [:]
    for layer in layers {
      guard case .array(let operation) = layer.operation, let axis = operation.indexedAxis,
        inputs.contains(layer.inputs[1])
      else { continue }
      extents.lower(values[layer.inputs[1]].name, to: values[layer.inputs[0]].dimensions[axis])
    }
    return extents
  }
}

extension ArrayOperation {
  /// The axis of the first operand that the second lists positions of.
  fileprivate var indexedAxis: Int? {
    switch self {
    case .gather(let axis), .gatherElements(let axis), .scatterElements(let axis, _): axis
    default: nil
    }
  }
}

extension [String: Int] {
  fileprivate mutating func lower(_ name: String, to dimension: Dimension) {
    self[name] = Swift.min(self[name] ?? .max, dimension.extent(batch: 1))
  }
}
