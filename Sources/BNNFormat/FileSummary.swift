/// Where the bytes of a `.bnn` file go. The sizes of all sections together are the file's.
public struct FileSummary: Hashable, Sendable {
  public var fileBytes: Int
  /// Header and section table, then every section; the padding before a section counts with it.
  public var sections: [Section]
  /// One entry per layer of the model, in order.
  public var layers: [Layer]

  public struct Section: Hashable, Sendable {
    public var name: String
    public var bytes: Int
  }

  /// What one layer adds to the file. A tensor that several layers share counts for the first.
  public struct Layer: Hashable, Sendable {
    public var name: String
    /// Bytes of the layer's record.
    public var recordBytes: Int
    /// Bytes of scales, biases, thresholds and other lists, without padding.
    public var parameterBytes: Int
    /// Bytes of the weights, without padding.
    public var weightBytes: Int
    /// How the weights became bytes: "raw", "int8" where they are quantized, or nil for a layer
    /// without weights.
    public var coding: String?

    public var bytes: Int { recordBytes + parameterBytes + weightBytes }
  }

  /// Sums up the file that a model becomes.
  public init(_ model: BinaryModel) throws(FormatError) {
    try self.init(decoding: model.encoded())
  }

  /// Sums up a file.
  public init(contentsOfFile path: String) throws(FormatError) {
    try self.init(decoding: RegularFile.read(path))
  }

  /// Sums up a file that is given by its bytes.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    self.init(try DecodedFile(decoding: bytes))
  }

  init(_ file: DecodedFile) {
    fileBytes = file.container.bytes.count
    let tableEnd =
      FileLayout.headerLength + file.container.sections.count * FileLayout.tableEntryLength
    sections = [Section(name: "\(FileSection.header)", bytes: tableEnd)]
    var end = tableEnd
    for (kind, range) in file.container.sections {
      let name = FileSection(rawValue: kind).map { "\($0)" } ?? "section \(kind)"
      sections.append(Section(name: name, bytes: range.upperBound - end))
      end = range.upperBound
    }
    layers = []
    var firstTensor = 0
    for (index, layer) in file.model.layers.enumerated() {
      var size = Layer(
        name: layer.name, recordBytes: file.layerOffsets[index + 1] - file.layerOffsets[index],
        parameterBytes: 0, weightBytes: 0, coding: layer.operation.weightCoding)
      for tensor in file.tensors[firstTensor..<file.tensorCounts[index]] {
        switch tensor.place {
        case .parameters: size.parameterBytes += tensor.bytes.count
        case .weights: size.weightBytes += tensor.bytes.count
        }
      }
      firstTensor = file.tensorCounts[index]
      layers.append(size)
    }
  }
}

extension Operation {
  fileprivate var weightCoding: String? {
    switch self {
    case .binaryConvolution, .convolution, .array(.constant): "raw"
    case .quantizedConvolution: "int8"
    default: nil
    }
  }
}
