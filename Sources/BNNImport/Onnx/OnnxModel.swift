import BNNTensor

/// An ONNX file's content as Swift values; tensors are decoded already.
struct OnnxModel {
  var irVersion: Int64
  var metadata: [(key: String, value: String)]
  var operatorSets: [(domain: String, version: Int64)]
  var graph: OnnxGraph
  var functions: [OnnxFunction]
}

struct OnnxGraph {
  var name: String
  var nodes: [OnnxNode]
  var initializers: [(name: String, tensor: Tensor)]
  var inputs: [OnnxValueInfo]
  var outputs: [OnnxValueInfo]
}

struct OnnxNode {
  /// Never empty: an unnamed node is called after its first output.
  var name: String
  var opType: String
  /// Empty for ONNX's own operators.
  var domain: String
  /// Tells functions of one name apart; mostly empty.
  var overload = ""
  var inputs: [String]
  var outputs: [String]
  var attributes: [OnnxAttribute]

  var place: ImportError.Place { .node(name: name, op: opType, attribute: nil) }

  /// The names of all values that the node reads, those of its inner graphs included.
  var reads: [String] {
    inputs
      + attributes.flatMap { attribute -> [String] in
        guard case .graph(let graph) = attribute.value else { return [] }
        return graph.nodes.flatMap(\.reads) + graph.outputs.map(\.name)
      }
  }
}

struct OnnxAttribute {
  var name: String
  var value: Value

  enum Value {
    case float(Float)
    case integer(Int64)
    case string(String)
    case tensor(Tensor)
    case floats([Float])
    case integers([Int64])
    case strings([String])
    case graph(OnnxGraph)
    /// Inside a function: the value that the caller gives under this name.
    case reference(String)
    /// A kind that no supported operator takes.
    case other(String)

    /// The kind, for messages.
    var kind: String {
      switch self {
      case .float: "float"
      case .integer: "integer"
      case .string: "string"
      case .tensor: "tensor"
      case .floats: "list of floats"
      case .integers: "list of integers"
      case .strings: "list of strings"
      case .graph: "graph"
      case .reference: "reference"
      case .other(let kind): kind
      }
    }
  }
}

/// A function that the model defines: nodes that stand for one.
struct OnnxFunction {
  var name: String
  var domain: String
  var overload: String
  var inputs: [String]
  var outputs: [String]
  /// Attributes that a caller may leave out.
  var defaults: [OnnxAttribute]
  var nodes: [OnnxNode]
  var operatorSets: [(domain: String, version: Int64)]
}

struct OnnxValueInfo {
  var name: String
  var type: Kind

  enum Kind {
    /// No extents at all: not even the rank is known.
    case tensor(elementType: Int32, dimensions: [Extent]?)
    /// A sequence, a map, …
    case other(String)
    case missing
  }

  enum Extent {
    case value(Int64)
    case parameter(String)
    case unknown
  }
}
