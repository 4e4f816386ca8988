import BNNGraph
import BNNTensor

/// What a layer reads and should give at some of the positions of its output, spread over all runs
/// of the calibration data.
struct LayerSample {
  private let geometry: ConvolutionGeometry
  /// One per run, [N, C, spatial…].
  private let inputs: [Tensor]
  /// One per run, [N, O, spatial…].
  private let targets: [Tensor]
  /// What is subtracted from the targets: the layer's own bias.
  private let bias: [Float]
  private let positions: [Position]

  private struct Position {
    var run: Int
    var entry: Int
    /// In row-major order of the output's spatial extents.
    var output: Int
    /// For each tap of the window where in a plane of the input it lies; −1 outside.
    var taps: [Int]
  }

  /// - Parameters:
  ///   - each: the inputs of an output, on which the number of positions depends.
  ///   - bias: one number per output, or none.
  init(
    _ geometry: ConvolutionGeometry, inputs: [Tensor], targets: [Tensor], bias: [Float], each: Int
  ) {
    (self.geometry, self.inputs, self.targets, self.bias) = (geometry, inputs, targets, bias)
    let sizes = targets.map { tensor in
      (entries: tensor.shape[0], outputs: tensor.shape.dimensions.dropFirst(2).reduce(1, *))
    }
    let chosen = spreadIndices(
      of: sizes.reduce(0) { $0 + $1.entries * $1.outputs }, atMost: Self.limit(each: each))
    var (run, before) = (0, 0)
    var windows: [Int: [Int]] = [:]
    positions = chosen.map { index in
      while index - before >= sizes[run].entries * sizes[run].outputs {
        before += sizes[run].entries * sizes[run].outputs
        run += 1
      }
      let (entry, output) = (index - before).quotientAndRemainder(dividingBy: sizes[run].outputs)
      let taps = windows[output] ?? geometry.tapOffsets(output: output, in: inputs[run].shape)
      windows[output] = taps
      return Position(run: run, entry: entry, output: output, taps: taps)
    }
  }

  /// At most so many positions that the Gram matrix takes some seconds, but always enough to see
  /// more than single images.
  private static func limit(each: Int) -> Int {
    min(max((1 << 36) / (each * each), 1 << 12), 1 << 15)
  }

  var count: Int { positions.count }

  /// What the outputs of a group should be, [count, outputs of the group].
  func targets(of group: Int) -> [Float] {
    guard let outputs = targets.first?.shape[1] else { return [] }
    let size = outputs / geometry.groups
    var result: [Float] = []
    result.reserveCapacity(count * size)
    for position in positions {
      let elements = targets[position.run].floats
      let plane = targets[position.run].shape.dimensions.dropFirst(2).reduce(1, *)
      for output in group * size..<(group + 1) * size {
        let element = elements[(position.entry * outputs + output) * plane + position.output]
        result.append(element - (bias.isEmpty ? 0 : bias[output]))
      }
    }
    return result
  }

  /// What a group reads, [count, channels of the group · taps] in the order of its weights.
  func rows(of group: Int) -> [Float] {
    guard let shape = inputs.first?.shape else { return [] }
    let channels = shape[1] / geometry.groups
    let taps = geometry.window.kernel.reduce(1, *)
    var result = [Float](repeating: 0, count: count * channels * taps)
    for (row, position) in positions.enumerated() {
      let input = inputs[position.run]
      let plane = input.shape.dimensions.dropFirst(2).reduce(1, *)
      let first = position.entry * input.shape[1] + group * channels
      input.floats.withUnsafeBufferPointer { elements in
        for channel in 0..<channels {
          for (tap, offset) in position.taps.enumerated() {
            result[(row * channels + channel) * taps + tap] =
              offset >= 0
              ? elements[(first + channel) * plane + offset] : Float(geometry.padding.rawValue)
          }
        }
      }
    }
    return result
  }
}

extension ConvolutionGeometry {
  /// For each tap of an output position's window where in a plane it lies; −1 outside.
  fileprivate func tapOffsets(output: Int, in shape: Shape) -> [Int] {
    let input = Array(shape.dimensions.dropFirst(2))
    let extents = window.outputExtents(of: input) ?? []
    let strides = Shape(input).strides
    let (outputStrides, kernelStrides) = (Shape(extents).strides, Shape(window.kernel).strides)
    return (0..<window.kernel.reduce(1, *)).map { tap in
      var offset = 0
      for axis in input.indices {
        let coordinate =
          output / outputStrides[axis] % extents[axis] * window.strides[axis]
          - window.padsBegin[axis]
          + tap / kernelStrides[axis] % window.kernel[axis] * window.dilations[axis]
        guard coordinate >= 0, coordinate < input[axis] else { return -1 }
        offset += coordinate * strides[axis]
      }
      return offset
    }
  }
}

/// Ascending indices below `count`: all, or `limit` that are spread evenly, each at a seeded place
/// of its part, so that they do not always meet the same columns of an image.
func spreadIndices(of count: Int, atMost limit: Int) -> [Int] {
  guard count > limit else { return Array(0..<count) }
  var random = SplitMix64(state: UInt64(count))
  return (0..<limit).map { part in
    let (start, end) = (part * count / limit, (part + 1) * count / limit)
    return start + Int(random.next() % UInt64(end - start))
  }
}
