import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// Every operation but convolutions against the reference.
@Suite struct OperationTests {
  static let channelChoices = [1, 3, 8, 31, 64, 65, 130]

  @Test(arguments: 1..<4) func pool(rank: Int) throws {
    for seed in 0..<60 {
      var random = SeededGenerator(seed: seed * 4 + rank)
      let extents = (0..<rank).map { _ in random.pick([2, 3, 5, 7]) }
      var window = random.window(over: extents)
      // Padding that a window always reaches out of.
      for axis in 0..<rank {
        window.padsBegin[axis] = min(window.padsBegin[axis], window.kernel[axis] - 1)
        window.padsEnd[axis] = min(window.padsEnd[axis], window.kernel[axis] - 1)
        window.dilations[axis] = extents[axis] < 5 ? 1 : window.dilations[axis]
      }
      let ceiling = random.bool()
      guard let outputs = window.outputExtents(of: extents, ceiling: ceiling) else { continue }
      let channels = random.pick([1, 3, 8, 65])
      let shape = Shape([2] + outputs + [channels])
      let isBinary = random.bool()
      var inputs = [
        isBinary
          ? random.bits([2] + extents + [channels]) : random.reals([2] + extents + [channels])
      ]
      if isBinary {
        let inverted = (0..<random.pick([1, channels])).map { _ in random.bool() }
        try LayerCase(
          operation: .binaryPool(window, ceiling: ceiling, inverted: inverted), inputs: inputs,
          outputTypes: [.sign], outputShape: shape
        ).check()
      } else {
        let epilogue = random.epilogue(shape, hasAccumulator: false, &inputs)
        let kind = random.pick([
          PoolKind.maximum, .average(countPadding: true), .average(countPadding: false),
        ])
        try LayerCase(
          operation: .pool(kind, window, ceiling: ceiling, epilogue), inputs: inputs,
          outputTypes: epilogue.outputTypes, outputShape: shape
        ).check()
      }
    }
  }

  @Test func pointwise() throws {
    for seed in 0..<80 {
      var random = SeededGenerator(seed: seed)
      let shape = Shape(
        random.pick([
          [3], [2, 5], [2, 3, 65], [1, 4, 3, 33], [2, 2, 2, 2, 7], [1, 30, 40, 3], [2, 37, 1],
        ]))
      var inputs = [random.reals(shape.dimensions)]
      let epilogue = random.epilogue(shape, hasAccumulator: false, &inputs)
      try LayerCase(
        operation: .pointwise(epilogue), inputs: inputs, outputTypes: epilogue.outputTypes,
        outputShape: shape
      ).check()
    }
  }

  @Test func concatenate() throws {
    for seed in 0..<60 {
      var random = SeededGenerator(seed: seed)
      var dimensions = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        random.pick([1, 2, 3])
      }
      dimensions[dimensions.count - 1] = random.pick(Self.channelChoices)
      let axis = Int.random(in: 0..<dimensions.count, using: &random)
      let isBinary = random.bool()
      var inputs: [(type: ElementType, value: PlainValue)] = []
      var total = 0
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        dimensions[axis] = random.pick([0, 1, 3, 64, 65])
        total += dimensions[axis]
        inputs.append(isBinary ? random.bits(dimensions) : random.reals(dimensions))
      }
      dimensions[axis] = total
      try LayerCase(
        operation: .concatenate(axis: axis), inputs: inputs,
        outputTypes: [isBinary ? .sign : .float32], outputShape: Shape(dimensions)
      ).check()
    }
  }

  @Test(arguments: [
    ([2, 3, 64], [2, 192]), ([2, 192], [2, 3, 64]), ([4, 3], [12]), ([12], [2, 6]),
    ([2, 65, 3], [2, 195]), ([2, 195], [2, 65, 3]), ([130], [2, 65]), ([1, 1, 5], [5, 1]),
    ([3, 7], [3, 1, 7]), ([0, 5], [0, 7]), ([1], []), ([2, 128], [4, 64]),
  ])
  func reshape(from: [Int], to: [Int]) throws {
    var random = SeededGenerator(seed: 1)
    for input in [random.bits(from), random.reals(from)] {
      try LayerCase(
        operation: .reshape, inputs: [input], outputTypes: [input.type], outputShape: Shape(to)
      ).check()
    }
  }

  @Test func transpose() throws {
    for seed in 0..<60 {
      var random = SeededGenerator(seed: seed)
      var dimensions = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        random.pick([1, 2, 3])
      }
      dimensions[dimensions.count - 1] = random.pick(Self.channelChoices)
      let permutation = Array(dimensions.indices).shuffled(using: &random)
      let input = random.bool() ? random.bits(dimensions) : random.reals(dimensions)
      try LayerCase(
        operation: .transpose(permutation: permutation), inputs: [input], outputTypes: [input.type],
        outputShape: Shape(permutation.map { dimensions[$0] })
      ).check()
    }
  }

  /// Matrices in several parts of rows and columns, and runs longer than a thread takes at once.
  @Test(arguments: [[0, 3, 1, 2], [0, 2, 3, 1], [3, 0, 2, 1], [2, 3, 0, 1], [1, 0, 2, 3]])
  func transposeLargeArrays(permutation: [Int]) throws {
    for dimensions in [[2, 33, 40, 19], [1, 70, 90, 3], [2, 1, 1, 5000]] {
      var random = SeededGenerator(seed: 5)
      for input in [random.reals(dimensions), random.bits(dimensions)] {
        try LayerCase(
          operation: .transpose(permutation: permutation), inputs: [input],
          outputTypes: [input.type], outputShape: Shape(permutation.map { dimensions[$0] })
        ).check()
      }
    }
  }

  /// Axes with and without tables, positions outside, runs in one part and in several.
  @Test func resample() throws {
    for seed in 0..<60 {
      var random = SeededGenerator(seed: seed)
      let dimensions = random.pick([
        [1, 4, 5, 3], [2, 3, 7, 1], [6], [1, 5, 40], [2, 2, 3, 4, 2], [1, 1200, 33],
        [3, 1, 2, 600],
      ])
      let largest = random.pick([1, 2, 4])
      let mostTaps = random.pick([1, 2, 3])
      var shape = dimensions
      let tables = dimensions.enumerated().map { axis, extent -> ResampleTable? in
        guard axis > 0 || dimensions.count == 1, random.bool() else { return nil }
        shape[axis] = Int.random(in: 2...min(40, 1 + extent * largest), using: &random)
        let isUniform = random.bool()
        let counts = (0..<shape[axis]).map { _ in
          isUniform ? Int32(mostTaps) : Int32.random(in: 0...Int32(mostTaps), using: &random)
        }
        let taps = Int(counts.reduce(0, +))
        return ResampleTable(
          counts: isUniform ? [Int32(mostTaps)] : counts,
          indices: (0..<taps).map { _ in Int32.random(in: 0..<Int32(extent), using: &random) },
          weights: (0..<taps).map { _ in random.pick([1, 0.25, -0.75]) })
      }
      try LayerCase(
        operation: .array(.resample(tables, outside: 9)), inputs: [random.reals(dimensions)],
        outputTypes: [.float32], outputShape: Shape(shape)
      ).check(tolerance: 1e-5)
    }
  }

  @Test func softmax() throws {
    for seed in 0..<30 {
      var random = SeededGenerator(seed: seed)
      let dimensions = random.pick([
        [2, 10], [7], [2, 3, 5], [1, 2, 2, 4], [3, 70, 15], [2, 9, 67],
      ])
      let axis = Int.random(in: 0..<dimensions.count, using: &random)
      try LayerCase(
        operation: .softmax(axis: axis, logarithm: random.bool()),
        inputs: [random.reals(dimensions)], outputTypes: [.float32], outputShape: Shape(dimensions)
      ).check(tolerance: 1e-5)
    }
  }

  @Test func reduce() throws {
    for seed in 0..<80 {
      var random = SeededGenerator(seed: seed)
      let dimensions = random.pick([[2, 10], [7], [2, 3, 5], [1, 2, 4, 33], [2, 1, 3, 2, 3]])
      let axes = dimensions.indices.filter { _ in random.bool() }.shuffled(using: &random)
      let keep = random.bool()
      let shape = Shape(
        dimensions.indices.compactMap {
          axes.contains($0) ? (keep ? 1 : nil) : dimensions[$0]
        })
      try LayerCase(
        operation: .reduce(
          random.pick([.mean, .sum, .maximum, .minimum]), axes: axes, keepDimensions: keep),
        inputs: [random.reals(dimensions)], outputTypes: [.float32], outputShape: shape
      ).check(tolerance: 1e-5)
    }
  }

  @Test(arguments: channelChoices) func signProduct(channels: Int) throws {
    var random = SeededGenerator(seed: channels)
    try LayerCase(
      operation: .signProduct,
      inputs: [random.bits([2, 3, channels]), random.bits([2, 3, channels])],
      outputTypes: [.sign], outputShape: [2, 3, channels]
    ).check()
  }

  @Test(arguments: channelChoices) func unpack(channels: Int) throws {
    var random = SeededGenerator(seed: channels)
    try LayerCase(
      operation: .unpack, inputs: [random.bits([2, 3, channels])], outputTypes: [.float32],
      outputShape: [2, 3, channels]
    ).check()
  }
}
