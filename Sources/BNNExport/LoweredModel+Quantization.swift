import BNNFormat
import BNNTensor

/// A layer whose weights stay float32 though int8 was asked for.
public struct UnquantizedLayer: Hashable, Sendable {
  public var layer: String
  public var reason: Reason

  public enum Reason: Hashable, Sendable {
    /// More products than an exact sum in 32 bits may have.
    case tooManyProducts(Int)
    /// A weight is not finite, or all weights of an output are next to 0.
    case weights
    /// The input's range has no scale: it is not finite, or next to 0.
    case range
  }
}

extension LoweredModel {
  /// The layers with real weights.
  package var realLayers: [Int] {
    model.layers.indices.filter { index in
      if case .convolution(_, .float32, _) = model.layers[index].operation { true } else { false }
    }
  }

  /// The layers with real weights that may be computed in integers.
  package var quantizableLayers: [Int] {
    realLayers.filter { products($0) <= FileLayout.maximumByteProducts }
  }

  /// The products of one sum of a layer with real weights.
  private func products(_ index: Int) -> Int {
    guard case .convolution(_, let weights, _) = model.layers[index].operation else { return 0 }
    return weights.shape.dimensions.dropFirst().reduce(1, *)
  }

  /// Makes layers with real weights compute in integers.
  ///
  /// - Parameters:
  ///   - layers: indices of such layers.
  ///   - ranges: of what they read, by layer.
  /// - Returns: the layers that stay as they are.
  package mutating func quantize(
    _ layers: [Int], ranges: [Int: ClosedRange<Float>]
  ) -> [UnquantizedLayer] {
    var unchanged: [UnquantizedLayer] = []
    for index in layers {
      let input = ranges[index].flatMap { InputQuantization(range: $0) }
      var reason: UnquantizedLayer.Reason?
      if products(index) > FileLayout.maximumByteProducts {
        reason = .tooManyProducts(products(index))
      } else if let input {
        reason = quantize(index, input) ? nil : .weights
      } else {
        reason = .range
      }
      if let reason { unchanged.append(.init(layer: model.layers[index].name, reason: reason)) }
    }
    return unchanged
  }

  /// The same model with the layers in integers that another one, a file's, has: the input's scale is
  /// the file's choice, the weights follow from this model's.
  package func quantized(like file: BinaryModel) -> LoweredModel {
    var result = self
    for (index, layer) in file.layers.enumerated() where result.model.layers.indices.contains(index)
    {
      guard case .quantizedConvolution(_, _, let input, _) = layer.operation else { continue }
      _ = result.quantize(index, input)
    }
    return result
  }

  private mutating func quantize(_ index: Int, _ input: InputQuantization) -> Bool {
    guard
      case .convolution(let geometry, .float32(let elements, let shape), let epilogue) =
        model.layers[index].operation,
      let weights = QuantizedWeights(quantizing: elements, shape: shape),
      (try? weights.check(input)) != nil
    else { return false }
    model.layers[index].operation = .quantizedConvolution(
      geometry, weights: weights, input: input, epilogue)
    return true
  }
}

extension UnquantizedLayer: CustomStringConvertible {
  public var description: String {
    let text =
      switch reason {
      case .tooManyProducts(let count): "sums of \(count) products do not fit into 32 bits"
      case .weights: "its weights are not finite, or next to 0"
      case .range: "the range of its input is not finite, or next to 0"
      }
    return "'\(layer)': stays float32: \(text)"
  }
}
