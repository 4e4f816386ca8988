import BNNTensor

extension FileSummary {
  /// One stored tensor.
  public struct Tensor: Hashable, Sendable {
    public var elementType: ElementType
    public var dimensions: [Int]
    public var part: Part
    /// How the elements became bytes: "raw", "float16", "bfloat16", "int8-rows", "int8", "int16",
    /// "int32", "kernels", "positions"; see `docs/format.md`.
    public var coding: String
    /// Whether bytes have an entropy code.
    public var isEntropyCoded: Bool
    public var elements: Int
    /// Bytes without a coding, and in the file.
    public var rawBytes: Int
    public var storedBytes: Int
    /// The order-0 entropy of the kernels, where signs have some, else of each plane of bytes: in
    /// bits per element.
    public var entropyPerElement: Double

    /// Bits in the file per element. Bits that fill up a raw tensor's last byte do not count.
    public var bitsPerElement: Double {
      storedBytes == rawBytes
        ? Double(elementType.bitWidth) : 8 * Double(storedBytes) / Double(max(elements, 1))
    }
  }

  /// What bytes of a file are for. Each byte belongs to one part.
  public enum Part: String, Hashable, Sendable, CaseIterable, Encodable {
    /// Weights of ±1, real ones, and those of quantized convolutions.
    case binaryWeights, realWeights, int8Weights
    /// Constants that operations on arrays read.
    case constants
    /// Scales, biases, slopes and other lists of real numbers.
    case vectors
    /// Bounds of signs, and their sides.
    case thresholds
    /// Other lists of integers and of bits.
    case integers, flags
    case layerRecords, tensorTable, values, metadata, header, otherSections
    /// Bytes that only align what follows.
    case padding
  }

  public struct PartSize: Hashable, Sendable, Encodable {
    public var part: Part
    public var bytes: Int
  }

  /// The parts, those that the file does not have left out.
  func parts(of container: Container) -> [PartSize] {
    var bytes: [Part: Int] = [.header: container.tableEnd]
    for tensor in tensors { bytes[tensor.part, default: 0] += tensor.storedBytes }
    for (kind, range) in container.sections {
      switch FileSection(rawValue: kind) {
      case .metadata: bytes[.metadata] = range.count
      case .values: bytes[.values] = range.count
      case .layers: bytes[.layerRecords] = range.count
      case .tensors: bytes[.tensorTable] = range.count
      case .parameters, .weights, .header: break
      case nil: bytes[.otherSections, default: 0] += range.count
      }
    }
    bytes[.padding] = fileBytes - bytes.values.reduce(0, +)
    return Part.allCases.compactMap { part in
      bytes[part].flatMap { $0 > 0 ? PartSize(part: part, bytes: $0) : nil }
    }
  }
}

extension FileSummary.Tensor {
  init(_ stored: StoredTensor, raw: StoredTensor, part: FileSummary.Part) {
    self.part = part
    elementType = stored.kind.elementType
    dimensions = stored.dimensions
    coding = stored.coding.name
    isEntropyCoded = stored.isEntropyCoded
    elements = Shape(stored.dimensions).count
    rawBytes = raw.bytes.count
    storedBytes = stored.bytes.count
    let bits = Double(raw.information) / Double(FixedLogarithm.one)
    entropyPerElement = bits / Double(max(elements, 1))
  }
}

extension StoredTensor {
  /// The order-0 entropy of all kernels, or of the planes of all bytes.
  fileprivate var information: Int {
    guard kind == .sign, let layout = KernelSymbols(dimensions) else {
      return planes.reduce(0) {
        $0 + FixedLogarithm.information(BytePlanes.histogram($1))
      }
    }
    let symbols = bytes.withUnsafeBufferPointer { layout.symbols($0) }
    return FixedLogarithm.information(SignCodings.histogram(symbols, layout))
  }

  /// Planes say so in their first byte.
  fileprivate var isEntropyCoded: Bool {
    switch coding {
    case .raw, .positions: false
    case .kernels: true
    case .planes, .float16, .bfloat16, .int8Rows, .int8, .int16, .int32: bytes.first != 0
    }
  }
}

extension StoredTensor.Coding {
  fileprivate var name: String {
    switch self {
    case .raw, .planes: "raw"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .int8Rows: "int8-rows"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .kernels: "kernels"
    case .positions: "positions"
    }
  }
}
