import BNNTensor

extension StoredTensor {
  /// How the elements became bytes. All codings keep every element bit for bit.
  enum Coding: UInt8, CaseIterable {
    /// The elements one after the other.
    case raw = 0
    /// The bytes of the elements, by their significance.
    case planes = 1
    /// Real numbers in two bytes.
    case float16 = 2
    case bfloat16 = 3
    /// Real numbers as bytes, with a scale for each index of the first dimension.
    case int8Rows = 4
    /// Integers in one, two or four bytes.
    case int8 = 5
    case int16 = 6
    case int32 = 7
    /// Signs by the kernels of their windows.
    case kernels = 8
    /// Signs by the positions of the rarer one.
    case positions = 9

    /// Whether the coding is one of tensors like this.
    func codes(_ kind: Kind, _ dimensions: [Int]) -> Bool {
      switch self {
      case .raw, .planes: true
      case .float16, .bfloat16: kind == .float32
      case .int8Rows: kind == .float32 && dimensions.count >= 2
      case .int8, .int16: kind == .int32 || kind == .int64
      case .int32: kind == .int64
      case .kernels: kind == .sign && KernelSymbols(dimensions) != nil
      case .positions: kind == .sign
      }
    }
  }
}

/// How many bytes the coded tensors of a file become: no more than a small file may ask for.
struct DecodingBudget {
  private(set) var decodedBytes = 0
  private var storedBytes = 0

  static func limit(fileBytes: Int) -> Int {
    FileLayout.decodedBytes + fileBytes * FileLayout.decodedBytesPerByte
  }

  /// Whether a tensor of a file that is being written can still be coded, whatever comes after.
  func allows(_ tensor: StoredTensor) -> Bool {
    tensor.coding == .raw
      || decodedBytes + tensor.rawByteCount
        <= DecodingBudget.limit(fileBytes: storedBytes + tensor.bytes.count)
  }

  mutating func add(_ tensor: StoredTensor) {
    storedBytes += tensor.bytes.count
    if tensor.coding != .raw { decodedBytes += tensor.rawByteCount }
  }
}
