import BNNTensor

/// Which elements along an axis each position of a resized axis is made from.
package struct AxisSamples: Hashable, Sendable {
  /// One entry per position of the result, in order.
  package var positions: [Position]

  package struct Position: Hashable, Sendable {
    /// Empty where the position lies outside x and has the extrapolation value.
    package var taps: [Tap]
  }

  package struct Tap: Hashable, Sendable {
    package var index: Int
    package var weight: Float
  }

  /// Whether every element of an axis stays what it is.
  package func isIdentity(of extent: Int) -> Bool {
    positions.count == extent
      && positions.enumerated().allSatisfy { $1.taps == [Tap(index: $0, weight: 1)] }
  }

  func apply<T: BinaryFloatingPoint>(to x: [T], _ runs: AxisRuns) -> [T] {
    let inner = runs.stride
    let outer = runs.starts.count / max(inner, 1)
    var result: [T] = []
    result.reserveCapacity(outer * inner * positions.count)
    for row in 0..<outer {
      let start = row * runs.length * inner
      for position in positions {
        for column in 0..<inner {
          var sum: T = 0
          for tap in position.taps {
            sum += T(tap.weight) * x[start + tap.index * inner + column]
          }
          result.append(sum)
        }
      }
    }
    return result
  }
}

extension Resize {
  /// How an axis is resized.
  struct AxisScaling {
    var input: Int
    var output: Int
    /// The output's extent before it is rounded to a whole number.
    var length: Double
    var scale: Double
    /// Whether the axis is among those of the operator.
    var isListed: Bool
  }

  /// The scaling of every axis of x.
  func scaling(_ inputs: [OperandFact?]) throws(OperatorError) -> [AxisScaling] {
    let shape = try inputs.required(0).shape
    let axes = try listedAxes(rank: shape.rank)
    var result = shape.dimensions.map {
      AxisScaling(input: $0, output: $0, length: Double($0), scale: 1, isListed: false)
    }
    let hasScales = inputs.optional(2).map { $0.shape != [0] } ?? false
    let listed =
      hasScales
      ? try scaled(by: inputs.floats(2), axes.map { shape[$0] })
      : try sized(to: inputs.integers(3), axes.map { shape[$0] })
    for (axis, scaling) in zip(axes, listed) { result[axis] = scaling }
    return result
  }

  private func listedAxes(rank: Int) throws(OperatorError) -> [Int] {
    guard let axes else { return Array(0..<rank) }
    var result: [Int] = []
    for axis in axes {
      let normal = try checkedAxis(axis, rank: rank, attribute: "axes")
      guard !result.contains(normal) else {
        throw .invalidAttribute(name: "axes", value: "\(axes)", expected: "different axes")
      }
      result.append(normal)
    }
    return result
  }

  /// The product of extent and scale is rounded to float32, then down.
  private func scaled(
    by scales: [Float], _ extents: [Int]
  ) throws(OperatorError) -> [AxisScaling] {
    guard scales.count == extents.count, scales.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw .invalidValue(
        input: 2, expected: "\(extents.count) positive numbers", found: "\(scales)")
    }
    return zip(scales, extents).map { scale, extent in
      AxisScaling(
        input: extent, output: Int(Int64(saturating: Double(Float(extent) * scale))),
        length: Double(extent) * Double(scale), scale: Double(scale), isListed: true)
    }
  }

  private func sized(
    to sizes: [Int], _ extents: [Int]
  ) throws(OperatorError) -> [AxisScaling] {
    guard sizes.count == extents.count, sizes.allSatisfy({ $0 >= 0 && $0 < 1 << 40 }),
      !zip(sizes, extents).contains(where: { $0 > 0 && $1 == 0 })
    else {
      throw .invalidValue(input: 3, expected: "\(extents.count) extents", found: "\(sizes)")
    }
    let scales = zip(sizes, extents).map { $1 == 0 ? 1 : Double($0) / Double($1) }
    let common: Double? =
      switch aspect {
      case .stretch: nil
      case .notLarger: scales.min()
      case .notSmaller: scales.max()
      }
    return extents.indices.map { index in
      let extent = extents[index]
      guard let common else {
        return AxisScaling(
          input: extent, output: sizes[index], length: Double(sizes[index]),
          scale: scales[index], isListed: true)
      }
      let output = (common * Double(extent) + 0.5).rounded(.down)
      return AxisScaling(
        input: extent, output: Int(Int64(saturating: output)), length: common * Double(extent),
        scale: common, isListed: true)
    }
  }

  /// The taps of every axis. The types must have been inferred, and the result not be empty.
  package func samples(_ inputs: [OperandFact?]) throws(OperatorError) -> [AxisSamples] {
    let scalings = try scaling(inputs)
    let region = try region(inputs, rank: scalings.count)
    return zip(scalings, region).map { scaling, region in
      guard scaling.isListed else {
        return AxisSamples(
          positions: (0..<scaling.output).map { .init(taps: [.init(index: $0, weight: 1)]) })
      }
      return AxisSamples(
        positions: (0..<scaling.output).map { position in
          let source = self.source(of: Double(position), scaling, region)
          let last = Double(scaling.input - 1)
          if coordinates == .tensorFlowCrop, !(source >= 0 && source <= last) {
            return .init(taps: [])
          }
          return .init(taps: taps(at: source, scaling))
        })
    }
  }

  /// The part of each axis that is shown, from 0 to 1.
  private func region(
    _ inputs: [OperandFact?], rank: Int
  ) throws(OperatorError) -> [(start: Double, end: Double)] {
    var region = [(start: Double, end: Double)](repeating: (0, 1), count: rank)
    guard coordinates == .tensorFlowCrop else { return region }
    let axes = try listedAxes(rank: rank)
    let bounds = try inputs.floats(1)
    guard bounds.count == 2 * axes.count, bounds.allSatisfy(\.isFinite) else {
      throw .invalidValue(input: 1, expected: "\(2 * axes.count) numbers", found: "\(bounds)")
    }
    for (index, axis) in axes.enumerated() {
      region[axis] = (Double(bounds[index]), Double(bounds[index + axes.count]))
    }
    return region
  }

  /// Where in x a position of the result lies.
  private func source(
    of position: Double, _ scaling: AxisScaling, _ region: (start: Double, end: Double)
  ) -> Double {
    let (scale, input, output) = (scaling.scale, Double(scaling.input), Double(scaling.output))
    let length = scaling.length
    switch coordinates {
    case .halfPixel: return (position + 0.5) / scale - 0.5
    case .halfPixelSymmetric:
      let offset = input / 2 * (1 - output / length)
      return offset + (position + 0.5) / scale - 0.5
    case .pyTorchHalfPixel: return output > 1 ? (position + 0.5) / scale - 0.5 : 0
    case .alignCorners: return output > 1 ? position * (input - 1) / (length - 1) : 0
    case .asymmetric: return position / scale
    case .tensorFlowHalfPixel: return (position + 0.5) / scale
    case .tensorFlowCrop:
      guard output > 1 else { return 0.5 * (region.start + region.end) * (input - 1) }
      let step = (region.end - region.start) * (input - 1) / (output - 1)
      return region.start * (input - 1) + position * step
    }
  }

  private func taps(at source: Double, _ scaling: AxisScaling) -> [AxisSamples.Tap] {
    let last = Double(scaling.input - 1)
    func clamped(_ position: Double) -> Int { Int(min(max(position, 0), last)) }
    let kernel: (Double) -> Double
    let support: Double
    switch mode {
    case .nearest(let rounding):
      let nearest =
        switch rounding {
        case .preferFloor: (source - 0.5).rounded(.up)
        case .preferCeiling: (source + 0.5).rounded(.down)
        case .floor: source.rounded(.down)
        case .ceiling: source.rounded(.up)
        }
      return [.init(index: clamped(nearest), weight: 1)]
    case .linear: (kernel, support) = ({ max(0, 1 - $0.magnitude) }, 1)
    case .cubic(let coefficient):
      (kernel, support) = ({ Resize.cubic($0, Double(coefficient)) }, 2)
    }
    // Shrunk with antialiasing, the kernel is as much wider as the result is smaller.
    let width = antialias ? min(scaling.scale, 1) : 1
    let base = source.rounded(.down)
    let first = Int((-support / width).rounded(.down)) + 1
    var weights: [Int: Double] = [:]
    for offset in first..<(2 - first) {
      let position = base + Double(offset)
      let weight = kernel((position - source) * width)
      guard weight != 0, !excludesOutside || (position >= 0 && position <= last) else { continue }
      weights[clamped(position), default: 0] += weight
    }
    let sum = antialias || excludesOutside ? weights.values.reduce(0, +) : 1
    return weights.sorted { $0.key < $1.key }
      .map { .init(index: $0.key, weight: Float($0.value / (sum == 0 ? 1 : sum))) }
  }

  /// Keys' kernel: 1 at 0, 0 at the other whole numbers and beyond 2.
  private static func cubic(_ x: Double, _ a: Double) -> Double {
    let x = x.magnitude
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    return 0
  }
}
