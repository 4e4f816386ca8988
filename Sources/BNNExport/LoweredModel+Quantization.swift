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
  /// The layers with real weights that may be computed in integers.
  package var quantizableLayers: [Int] {
    model.layers.indices.filter { index in
      guard case .convolution(_, .float32(_, let shape), _) = model.layers[index].operation else {
        return false
      }
      return shape.products <= FileLayout.maximumByteProducts
    }
  }

  /// Makes every layer with real weights one that computes in integers.
  ///
  /// - Parameter ranges: of what the layers read, by value of the model.
  /// - Returns: the layers that stay as they are.
  package mutating func quantize(_ ranges: [Int: ClosedRange<Float>]) -> [UnquantizedLayer] {
    var unchanged: [UnquantizedLayer] = []
    for index in model.layers.indices {
      let layer = model.layers[index]
      guard case .convolution(_, .float32(_, let shape), _) = layer.operation else { continue }
      let input = layer.inputs.first.flatMap { ranges[$0] }.flatMap { InputQuantization(range: $0) }
      let keep = { (reason: UnquantizedLayer.Reason) in
        unchanged.append(UnquantizedLayer(layer: layer.name, reason: reason))
      }
      if shape.products > FileLayout.maximumByteProducts {
        keep(.tooManyProducts(shape.products))
      } else if let input {
        if !quantize(index, input) { keep(.weights) }
      } else {
        keep(.range)
      }
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

extension Shape {
  /// The products of one sum of a convolution with weights of this shape.
  fileprivate var products: Int { dimensions.dropFirst().reduce(1, *) }
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
