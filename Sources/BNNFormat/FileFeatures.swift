/// What a reader must know beyond the first readers of version 1: the header's bit set.
struct FileFeatures: OptionSet, Hashable {
  var rawValue: UInt64

  /// Quantized convolutions, and tensors of int8.
  static let quantizedConvolutions = FileFeatures(rawValue: 1)

  /// Tensors with other codings than raw.
  static let codedTensors = FileFeatures(rawValue: 2)

  static let known: FileFeatures = [.quantizedConvolutions, .codedTensors]
}

extension BinaryModel {
  /// The features that the layers of a file of the model need.
  var features: FileFeatures {
    layers.contains { if case .quantizedConvolution = $0.operation { true } else { false } }
      ? [.quantizedConvolutions] : []
  }
}
