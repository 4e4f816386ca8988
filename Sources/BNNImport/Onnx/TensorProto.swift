import BNNTensor

/// Reads files that hold one ONNX tensor (`.pb`), as in ONNX's recorded test data.
public enum TensorProto {
  public static func read(_ path: String) throws(ImportError) -> Tensor {
    try reading(path) { () throws(ImportFault) in try OnnxMessages.readTensor(path) }
  }
}
