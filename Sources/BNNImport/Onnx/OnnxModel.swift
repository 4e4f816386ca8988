import BNNTensor

/// An ONNX file's content as Swift values; tensors are decoded already.
struct OnnxModel {
  var irVersion: Int64
  var metadata: [(key: String, value: String)]
  var operatorSets: [(domain: String, version: Int64)]
  var graph: OnnxGraph
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
  var inputs: [String]
  var outputs: [String]
  var attributes: [OnnxAttribute]

  var place: ImportError.Place { .node(name: name, op: opType, attribute: nil) }
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
      case .other(let kind): kind
      }
    }
  }
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
