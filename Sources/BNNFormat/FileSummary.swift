/// Where the bytes of a `.bnn` file go. The sizes of all sections together are the file's; so are
/// those of all parts; and so are those of all layers with ``otherBytes``.
public struct FileSummary: Hashable, Sendable {
  public var fileBytes: Int
  /// Header and section table, then every section; the padding before a section counts with it.
  public var sections: [Section]
  /// One entry per kind of contents that the file has.
  public var parts: [PartSize]
  /// One entry per layer of the model, in order.
  public var layers: [Layer]
  /// One entry per stored tensor, in order.
  public var tensors: [Tensor]

  public struct Section: Hashable, Sendable {
    public var name: String
    public var bytes: Int
  }

  /// What one layer adds to the file. A tensor that several layers share counts for the first.
  public struct Layer: Hashable, Sendable {
    public var name: String
    /// Bytes of the layer's record, and of its tensors' entries in the table.
    public var recordBytes: Int
    /// Bytes of scales, biases, thresholds and other lists, without padding.
    public var parameterBytes: Int
    /// Bytes of the weights, without padding.
    public var weightBytes: Int
    /// The index of the layer's weights in ``FileSummary/tensors``, also where a layer before it has
    /// the same; nil for a layer without weights.
    public var weights: Int?

    public var bytes: Int { recordBytes + parameterBytes + weightBytes }
  }

  /// Bytes that are no layer's: header, metadata, values, counts and padding.
  public var otherBytes: Int { fileBytes - layers.reduce(0) { $0 + $1.bytes } }

  /// The weights of a layer.
  public func weights(of layer: Int) -> Tensor? { layers[layer].weights.map { tensors[$0] } }

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
    try self.init(DecodedFile(decoding: bytes))
  }

  init(_ file: DecodedFile) throws(FormatError) {
    fileBytes = file.container.bytes.count
    sections = FileSummary.sections(file.container)
    layers = []
    var firstTensor = 0
    for (index, layer) in file.model.layers.enumerated() {
      var size = Layer(
        name: layer.name, recordBytes: file.layerOffsets[index + 1] - file.layerOffsets[index],
        parameterBytes: 0, weightBytes: 0, weights: file.weightTensors[index])
      for tensor in firstTensor..<file.tensorCounts[index] {
        size.recordBytes += file.store.entryByteCount(tensor)
        let bytes = file.store.tensors[tensor].bytes.count
        switch file.store.tensors[tensor].place {
        case .parameters: size.parameterBytes += bytes
        case .weights: size.weightBytes += bytes
        }
      }
      firstTensor = file.tensorCounts[index]
      layers.append(size)
    }
    tensors = []
    for index in file.store.tensors.indices {
      tensors.append(
        Tensor(
          file.store.tensors[index], raw: try file.store.raw(index), part: file.store.part(index)))
    }
    parts = []
    parts = parts(of: file.container)
  }

  private static func sections(_ container: Container) -> [Section] {
    var sections = [Section(name: "\(FileSection.header)", bytes: container.tableEnd)]
    var end = container.tableEnd
    for (kind, range) in container.sections {
      let name = FileSection(rawValue: kind).map { "\($0)" } ?? "section \(kind)"
      sections.append(Section(name: name, bytes: range.upperBound - end))
      end = range.upperBound
    }
    return sections
  }
}
