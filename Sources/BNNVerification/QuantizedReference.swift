import BNNFormat
import BNNTensor

/// What a quantized convolution is defined to be, in the most direct words: the file's own numbers,
/// integers added one by one, independent of the runtime and its kernels.
struct QuantizedReference {
  private let geometry: ConvolutionGeometry
  private let weights: QuantizedWeights
  private let input: InputQuantization
  let epilogue: Epilogue

  /// - Returns: nil for any other operation.
  init?(_ operation: BNNFormat.Operation) {
    guard case .quantizedConvolution(let geometry, let weights, let input, let epilogue) = operation
    else { return nil }
    self.geometry = geometry
    self.weights = weights
    self.input = input
    self.epilogue = epilogue
  }

  /// The real numbers that the epilogue begins with, for an operand [N, spatial…, C].
  ///
  /// - Parameter shape: of the result.
  func values(of x: Tensor, shape: Shape) -> Tensor {
    // A position outside the input holds 0, whose byte is `zero`: it adds nothing.
    let pixels = x.floats.map { Int32(input.byte($0)) - Int32(input.zero) }
    let outputs = weights.shape[0]
    let channels = weights.shape.dimensions.last ?? 1
    let taps = weights.shape.dimensions.dropFirst().dropLast().reduce(1, *)
    let factors = weights.factors(input)
    var result: [Float] = []
    result.reserveCapacity(shape.count)
    for position in 0..<(outputs == 0 ? 0 : shape.count / outputs) {
      let seen = pixelsSeen(from: position, x.shape, shape)
      for output in 0..<outputs {
        let first = output / (outputs / geometry.groups) * channels
        var sum: Int32 = 0
        pixels.withUnsafeBufferPointer { pixels in
          weights.elements.withUnsafeBufferPointer { elements in
            for (tap, pixel) in seen {
              let from = pixel * channels * geometry.groups + first
              let weight = (output * taps + tap) * channels
              for channel in 0..<channels {
                sum += pixels[from + channel] * Int32(elements[weight + channel])
              }
            }
          }
        }
        result.append(Float(sum) * (factors.count == 1 ? factors[0] : factors[output]))
      }
    }
    return Tensor(result, shape: shape)
  }

  /// The taps of an output position that lie in the input, and the pixels they see.
  private func pixelsSeen(
    from position: Int, _ input: Shape, _ result: Shape
  ) -> [(tap: Int, pixel: Int)] {
    let window = geometry.window
    guard window.spatialRank > 0 else { return [(0, position)] }
    var place: [Int] = []
    var rest = position
    for axis in (1...window.spatialRank).reversed() {
      place.insert(rest % result[axis], at: 0)
      rest /= result[axis]
    }
    // `rest` is the image now.
    var seen = [(tap: 0, pixel: rest)]
    for axis in 0..<window.spatialRank {
      seen = seen.flatMap { tap, pixel in
        (0..<window.kernel[axis]).compactMap { step -> (tap: Int, pixel: Int)? in
          let at =
            place[axis] * window.strides[axis] - window.padsBegin[axis]
            + step * window.dilations[axis]
          guard (0..<input[axis + 1]).contains(at) else { return nil }
          return (tap * window.kernel[axis] + step, pixel * input[axis + 1] + at)
        }
      }
    }
    return seen
  }
}
