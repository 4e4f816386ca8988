/// One layer with weights: what it costs and how it is stored.
public struct LayerReport: Hashable, Sendable, Encodable {
  public var name: String
  /// "binary", or "float": real-valued input.
  public var kind: String
  /// Why it is not binary; nil where it is, or where no conversion was observed.
  public var reason: String?
  public var operation: String
  public var inputShape: String
  public var outputShape: String
  public var weightShape: String
  public var parameters: Int
  /// Multiply-accumulates for one picture, by the kind of their operands.
  public var binaryMACs: Int
  public var floatMACs: Int
  /// Bytes of the weights as float32 numbers, as sources have them.
  public var sourceBytes: Int
  /// Bytes of the weights in the file; those that several layers share count for each.
  public var packedBytes: Int
  /// Bytes in the file: weights and everything else of the layer. Shared tensors count for the first.
  public var bytes: Int
  public var bitsPerWeight: Double
  /// How the weights became bytes: the name of a type, or a coding of `docs/format.md`; "computed"
  /// where they are no weights of the file.
  public var coding: String
  /// Whether the weights' bytes have an entropy code.
  public var isEntropyCoded: Bool
  /// The order-0 entropy of the weights' kernels or bytes, in bits per weight.
  public var entropyPerWeight: Double

  /// The convolutions and matrix products of a model.
  public static func layers(of model: BinaryModel, summary: FileSummary) -> [LayerReport] {
    model.layers.indices.compactMap { index -> LayerReport? in
      let layer = model.layers[index]
      if case .array(let operation) = layer.operation {
        return LayerReport(operation, index, of: model, summary)
      }
      let shape: Shape
      switch layer.operation {
      case .binaryConvolution(_, let weights, _): shape = weights.shape
      case .convolution(_, let weights, _): shape = weights.shape
      case .quantizedConvolution(_, let weights, _, _): shape = weights.shape
      default: return nil
      }
      let kind = layer.operation.isBinary ? "binary" : "float"
      let weights = summary.weights(of: index)
      let output = model.values[layer.outputs[0]]
      let positions = output.dimensions.shape(batch: 1).count / max(shape[0], 1)
      let macs = positions * shape.count
      return LayerReport(
        name: layer.name, kind: kind, operation: shape.rank == 2 ? "dense" : "convolution",
        inputShape: model.values[layer.inputs[0]].dimensions.text,
        outputShape: output.dimensions.text, weightShape: "\(shape)",
        parameters: shape.count, binaryMACs: kind == "binary" ? macs : 0,
        floatMACs: kind == "binary" ? 0 : macs, sourceBytes: 4 * shape.count,
        packedBytes: weights?.storedBytes ?? 0, bytes: summary.layers[index].bytes,
        bitsPerWeight: weights?.bitsPerElement ?? 0, coding: weights?.title ?? "computed",
        isEntropyCoded: weights?.isEntropyCoded ?? false,
        entropyPerWeight: weights?.entropyPerElement ?? 0)
    }
  }
}

extension LayerReport {
  /// A product of two operands, of which the second one is taken as the weights: a constant, which
  /// is a layer of its own, or computed.
  private init?(
    _ operation: ArrayOperation, _ index: Int, of model: BinaryModel, _ summary: FileSummary
  ) {
    let layer = model.layers[index]
    guard let title = operation.productTitle, layer.inputs.count > 1 else { return nil }
    let operand = layer.inputs[1]
    let constant = model.layers.indices.first { other in
      guard case .array(.constant) = model.layers[other].operation else { return false }
      return model.layers[other].outputs.contains(operand)
    }
    let weights = model.values[operand].dimensions
    let parameters = constant == nil ? 0 : weights.shape(batch: 1).count
    let stored = constant.flatMap { summary.weights(of: $0) }
    self.init(
      name: layer.name, kind: "float", operation: title,
      inputShape: model.values[layer.inputs[0]].dimensions.text,
      outputShape: model.values[layer.outputs[0]].dimensions.text, weightShape: weights.text,
      parameters: parameters, binaryMACs: 0,
      floatMACs: operation.products(of: layer, in: model), sourceBytes: 4 * parameters,
      packedBytes: stored?.storedBytes ?? 0,
      bytes: summary.layers[index].bytes + (constant.map { summary.layers[$0].bytes } ?? 0),
      bitsPerWeight: stored?.bitsPerElement ?? 0, coding: stored?.title ?? "computed",
      isEntropyCoded: stored?.isEntropyCoded ?? false,
      entropyPerWeight: stored?.entropyPerElement ?? 0)
  }
}

extension FileSummary.Tensor {
  /// The coding, or the type of what is stored as it is; signs are "raw" then.
  package var title: String {
    coding == "raw" && elementType != .sign ? elementType.rawValue : coding
  }
}

extension [Dimension] {
  /// The dimensions as `[N,56,56,64]`.
  var text: String { "[" + map(\.description).joined(separator: ",") + "]" }
}

extension Operation {
  /// Whether the operation multiplies signs with signs.
  var isBinary: Bool { if case .binaryConvolution = self { true } else { false } }
}
