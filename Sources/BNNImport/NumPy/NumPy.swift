import BNNTensor

/// Reads and writes NumPy's files: `.npy` (one array) and `.npz` (an archive of named arrays).
public enum NumPy {
  /// Reads an array of numbers or bools, in either byte order and either memory order.
  public static func readArray(_ path: String) throws(ImportError) -> Tensor {
    try reading(path) { () throws(ImportFault) in
      let bytes = try InputFile(path).allBytes()
      guard !bytes.isEmpty else { throw ImportFault(.empty) }
      return try NumPyHeader.decodeArray(bytes)
    }
  }

  /// Writes an array, row-major and little-endian. Bits are written as int8 of ±1, bfloat16 as
  /// float32, which NumPy has no names for.
  public static func writeArray(_ tensor: Tensor, _ path: String) throws(ImportError) {
    try reading(path) { () throws(ImportFault) in
      try writeFile(NumPyEncoder.encode(tensor), to: path)
    }
  }
}
