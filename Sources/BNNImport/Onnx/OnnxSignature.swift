import BNNTensor

/// The inputs and outputs that an ONNX model declares, in order.
public struct OnnxSignature: Hashable, Sendable {
  public var inputs: [Port]
  public var outputs: [Port]

  public struct Port: Hashable, Sendable {
    public var name: String
    /// nil where none is declared, or one that the toolkit does not have.
    public var elementType: ElementType?
  }

  /// Reads a model's inputs, without those that have a value in the model, and outputs.
  public init(onnxFile path: String) throws(ImportError) {
    let graph = try reading(path) { () throws(ImportFault) in
      var decoder = TensorDecoder(folder: folder(of: path))
      return try OnnxMessages.readModel(path, decoder: &decoder).model.graph
    }
    inputs = graph.freeInputs.map { Port($0) }
    outputs = graph.outputs.map { Port($0) }
  }
}

extension OnnxSignature.Port {
  fileprivate init(_ info: OnnxValueInfo) {
    guard case .tensor(let code, _) = info.type else {
      self.init(name: info.name, elementType: nil)
      return
    }
    self.init(name: info.name, elementType: OnnxElementType.type(code))
  }
}
