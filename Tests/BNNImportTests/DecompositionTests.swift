import BNNGraph
import BNNTensor
import Testing

@testable import BNNImport

/// Operators that are put together from others, with expectations computed by hand.
@Suite struct DecompositionTests {
  // MARK: Normalizations

  @Test func `GroupNormalization scales groups before version 21 and channels since`() throws {
    // Two groups of two channels: (−1, 1) each after normalization.
    let x = floats([0, 2, 4, 8], [1, 4, 1])
    let epsilon = Sample.attribute("epsilon", float: 0)
    let groups = Sample.attribute("num_groups", integer: 2)
    let old = try runNode(
      "GroupNormalization", [x, floats([1, 10]), floats([0, 5])],
      attributes: [epsilon, groups], operatorSet: 18)
    #expect(isClose(old, [-1, 1, -5, 15]))
    let new = try runNode(
      "GroupNormalization", [x, floats([1, 2, 3, 4]), floats([0, 0, 0, 1])],
      attributes: [epsilon, groups])
    #expect(isClose(new, [-1, 2, -3, 5]))
    #expect(new.shape == x.shape)
  }

  @Test func `RMSNormalization divides by the root of the mean of squares`() throws {
    let result = try runNode(
      "RMSNormalization", [floats([3, -4], [1, 2]), floats([1, 2])],
      attributes: [Sample.attribute("epsilon", float: 0)])
    let root = Float(12.5).squareRoot()
    #expect(isClose(result, [3 / root, -8 / root]))
  }

  private static let norms: [(Int64, [Float])] = [
    (1, [0.75, -0.25]), (2, [0.948_683_3, -0.316_227_77]),
  ]

  @Test(arguments: norms)
  func `LpNormalization divides by a norm`(p: Int64, expected: [Float]) throws {
    let result = try runNode(
      "LpNormalization", [floats([3, -1], [1, 2])],
      attributes: [Sample.attribute("p", integer: p)])
    #expect(isClose(result, expected))
  }

  @Test func `BatchNormalization per position, and in training`() throws {
    let x = floats([1, 2, 3, 4], [1, 2, 2])
    let parameters = [
      floats([1, 1, 2, 2], [2, 2]), floats([0, 1, 0, 1], [2, 2]), floats([1, 1, 1, 1], [2, 2]),
      floats([4, 4, 4, 4], [2, 2]),
    ]
    let zero = Sample.attribute("epsilon", float: 0)
    let result = try runNode(
      "BatchNormalization", [x] + parameters,
      attributes: [zero, Sample.attribute("spatial", integer: 0)], operatorSet: 7)
    #expect(isClose(result, [0, 1.5, 2, 4]))
    for (version, attributes) in [
      (Int64(6), []), (14, [Sample.attribute("training_mode", integer: 1)]),
    ] {
      let error = #expect(throws: ImportError.self) {
        try runNode(
          "BatchNormalization", [x] + parameters, attributes: attributes, operatorSet: version)
      }
      #expect(error?.category == .unsupported)
    }
  }

  // MARK: Pools

  @Test func `LpPool counts what reaches beyond the end as 0`() throws {
    let window = [
      Sample.attribute("kernel_shape", integers: [2]), Sample.attribute("strides", integers: [2]),
    ]
    let x = floats([3, 4, -2], [1, 1, 3])
    #expect(isClose(try runNode("LpPool", [x], attributes: window), [5]))
    let ceiling = window + [Sample.attribute("ceil_mode", integer: 1)]
    #expect(isClose(try runNode("LpPool", [x], attributes: ceiling), [5, 2]))
    let one = window + [Sample.attribute("p", integer: 1)]
    #expect(isClose(try runNode("LpPool", [x], attributes: one), [7]))
    let cubes = [Sample.attribute("p", integer: 3)]
    #expect(isClose(try runNode("GlobalLpPool", [x], attributes: cubes), [4.626_065]))
  }

  // MARK: Old versions

  @Test func `A slope per channel before version 7`() throws {
    let x = floats([-1, -2, -3, -4], [1, 2, 2])
    let result = try runNode("PRelu", [x, floats([1, 10])], operatorSet: 6)
    #expect(result.floats == [-1, -2, -30, -40])
  }

  @Test func `Attributes that became inputs`() throws {
    let x = floats([1, 2, 3, 4], [2, 2])
    let shape = Sample.attribute("shape", integers: [4])
    #expect(try runNode("Reshape", [x], attributes: [shape], operatorSet: 1).shape == [4])
    let tiled = try runNode("Tile", [x, integers([2], []), integers([1], [])], operatorSet: 1)
    #expect(tiled.floats == [1, 2, 1, 2, 3, 4, 3, 4])
    let to = Sample.attribute("to", string: "INT32")
    #expect(try runNode("Cast", [x], attributes: [to], operatorSet: 1).elementType == .int32)
    let top = try runNode(
      "TopK", [x], attributes: [Sample.attribute("k", integer: 1)], operatorSet: 1,
      outputs: ["y", "z"])
    #expect(top.floats == [2, 4])
  }

  @Test func `Upsample in its three forms`() throws {
    let x = floats([1, 2], [1, 1, 1, 2])
    let nearest = Sample.attribute("mode", string: "nearest")
    let old = try runNode(
      "Upsample", [x],
      attributes: [
        nearest, Sample.attribute("height_scale", float: 1),
        Sample.attribute("width_scale", float: 2),
      ], operatorSet: 1)
    let scales = Message().string(1, "scales").float(7, 1).float(7, 1).float(7, 1).float(7, 2)
      .integer(20, 6)
    let middle = try runNode("Upsample", [x], attributes: [nearest, scales], operatorSet: 7)
    let new = try runNode(
      "Upsample", [x, floats([1, 1, 1, 2])], attributes: [nearest], operatorSet: 9)
    for result in [old, middle, new] { #expect(result.floats == [1, 1, 2, 2]) }
  }

  // MARK: Quantization

  @Test func `Scales per axis and per block`() throws {
    let x = integers([1, 2, 3, 4], [2, 2], .int8)
    let zero = integers([1, 0], [2], .int8)
    let perAxis = try runNode(
      "DequantizeLinear", [x, floats([1, 10]), zero],
      attributes: [Sample.attribute("axis", integer: 0)])
    #expect(perAxis.floats == [0, 1, 30, 40])
    let perBlock = try runNode(
      "DequantizeLinear",
      [integers([1, 2, 3], [1, 3], .int8), floats([1, 10], [1, 2])],
      attributes: [
        Sample.attribute("axis", integer: 1), Sample.attribute("block_size", integer: 2),
      ])
    #expect(perBlock.floats == [1, 2, 30])
  }

  @Test func `Quantization rounds half to even and saturates`() throws {
    let x = floats([-200, -1.5, 0.5, 1.5, 200, .infinity])
    let result = try runNode(
      "QuantizeLinear", [x, floats([1], []), integers([2], [], .int8)])
    #expect(result == integers([-128, 0, 2, 4, 127, 127], [6], .int8))
    let typed = try runNode(
      "QuantizeLinear", [x, floats([1], [])],
      attributes: [Sample.attribute("output_dtype", integer: 5)])
    #expect(typed == integers([-200, -2, 0, 2, 200, 32767], [6], .int16))
  }

  @Test(arguments: [Int64(1), 127])
  func `Sums of a quantized convolution are exact`(weight: Int64) throws {
    // 1000 taps of 255 · 127 are more than float32 counts.
    let x = integers([Int64](repeating: 255, count: 1000), [1, 1000, 1], .uint8)
    var weights = [Int64](repeating: weight, count: 1000)
    weights[0] = 0
    weights[1] = -weight
    let sum = try runNode("ConvInteger", [x, integers(weights, [1, 1000, 1], .int8)])
    #expect(sum == integers([255 * weight * 997], [1, 1, 1], .int32))
  }

  // MARK: Others

  @Test func `Remainders of integers by either sign`() throws {
    let (a, b) = (integers([-4, 7, 5], [3]), integers([3, -3, 0], [3]))
    #expect(try runNode("Mod", [a, b]).integers == [2, -2, 0])
    let truncating = try runNode("Mod", [a, b], attributes: [Sample.attribute("fmod", integer: 1)])
    #expect(truncating.integers == [-1, 1, 5])
  }

  @Test func `Blocks of channels in both orders`() throws {
    let x = floats([0, 1, 2, 3, 4, 5, 6, 7], [1, 8, 1, 1])
    for (mode, expected) in [
      ("DCR", [Float(0), 2, 4, 6, 1, 3, 5, 7]), ("CRD", [0, 1, 2, 3, 4, 5, 6, 7]),
    ] {
      let result = try runNode(
        "DepthToSpace", [x],
        attributes: [
          Sample.attribute("blocksize", integer: 2), Sample.attribute("mode", string: mode),
        ])
      #expect(result == floats(expected, [1, 2, 2, 2]))
    }
  }

  @Test func `Positions of maxima as the second output of MaxPool`() throws {
    let result = try runNode(
      "MaxPool", [floats([1, 5, 2, 3], [1, 1, 4])],
      attributes: [Sample.attribute("kernel_shape", integers: [2])], outputs: ["a", "y"])
    #expect(result == integers([1, 1, 3], [1, 1, 3]))
  }
}
