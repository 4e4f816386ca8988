import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNGraph

@Suite struct BinarizeTests {
  @Test func testsEachChannelByItsInterval() throws {
    let thresholds = Thresholds<Float>(
      lower: [0, -1, 1], upper: [.infinity, 1, 0], insideIsPlus: [true, false, true])
    try expect(
      .binarize(Binarize(thresholds: thresholds)),
      [floats([0, -0.5, -1, 1, 5, .nan], [1, 3, 2])],
      gives: [floats([1, -1, -1, -1, -1, -1], [1, 3, 2])])
  }

  @Test func zeroHasTheSignOfItsSpelling() throws {
    let x = floats([-1, -0.0, 0, .leastNonzeroMagnitude, .nan, .infinity, -.infinity])
    try expect(
      .binarize(Binarize(thresholds: .zeroIsPlus)), [x], gives: [floats([-1, 1, 1, 1, -1, 1, -1])])
    try expect(
      .binarize(Binarize(thresholds: .zeroIsMinus)), [x],
      gives: [floats([-1, -1, -1, 1, -1, 1, -1])])
  }

  @Test func anOutsideIntervalMakesNaNPlus() throws {
    let thresholds = Thresholds<Float>(lower: [1], upper: [.infinity], insideIsPlus: [false])
    try expect(
      .binarize(Binarize(thresholds: thresholds)), [floats([0, 1, .nan])],
      gives: [floats([1, -1, 1])])
  }

  @Test func wrongNumberOfChannels() {
    let thresholds = Thresholds<Float>(lower: [0, 0], upper: [1, 1], insideIsPlus: [true, true])
    expectError(
      .binarize(Binarize(thresholds: thresholds)), [ramp([2, 3, 4])],
      .invalidAttribute(name: "thresholds", value: "2 channels", expected: "1 or 3"))
  }
}

@Suite struct BinaryConvolutionTests {
  /// Against a plain sum over taps, for every kind of padding, strides, dilations and groups.
  @Test(arguments: ConvolutionGeometry.PaddingValue.allCases, [1, 2])
  func agreesWithThePlainSum(padding: ConvolutionGeometry.PaddingValue, groups: Int) throws {
    var generator = SeededGenerator(seed: UInt64(groups))
    for _ in 0..<20 {
      var window = WindowGeometry(kernel: [
        Int.random(in: 1...3, using: &generator), Int.random(in: 1...3, using: &generator),
      ])
      for axis in 0..<2 {
        window.strides[axis] = Int.random(in: 1...3, using: &generator)
        window.dilations[axis] = Int.random(in: 1...2, using: &generator)
        window.padsBegin[axis] = Int.random(in: 0...2, using: &generator)
        window.padsEnd[axis] = Int.random(in: 0...2, using: &generator)
      }
      let geometry = ConvolutionGeometry(window: window, groups: groups, padding: padding)
      let x = Tensor.randomSigns([2, 3 * groups, 5, 6], using: &generator)
      let weights = Tensor.randomBits(
        Shape([2 * groups] + window.kernel + [3]), using: &generator)
      let expected = try plainSum(x, weights, geometry)
      try expect(
        .binaryConvolution(BinaryConvolution(geometry: geometry)), [x, weights], gives: [expected])
      try expect(.convolution(Convolution(geometry: geometry)), [x, weights], gives: [expected])
    }
  }

  private func plainSum(
    _ x: Tensor, _ weights: Tensor, _ geometry: ConvolutionGeometry
  ) throws -> Tensor {
    let window = geometry.window
    let extents = try #require(window.outputExtents(of: Array(x.shape.dimensions[2...])))
    let (inputs, outputs) = (weights.shape[3], weights.shape[0])
    let (height, width) = (x.shape[2], x.shape[3])
    let (elements, filters) = (x.floats, weights.floats)
    var result: [Float] = []
    for image in 0..<x.shape[0] {
      for output in 0..<outputs {
        for row in 0..<extents[0] {
          for column in 0..<extents[1] {
            var sum: Float = 0
            for y in 0..<window.kernel[0] {
              for tap in 0..<window.kernel[1] {
                let position = (
                  row * window.strides[0] + y * window.dilations[0] - window.padsBegin[0],
                  column * window.strides[1] + tap * window.dilations[1] - window.padsBegin[1]
                )
                let isInside =
                  position.0 >= 0 && position.0 < height && position.1 >= 0 && position.1 < width
                for channel in 0..<inputs {
                  let group = output / (outputs / geometry.groups)
                  let plane = image * x.shape[1] + group * inputs + channel
                  let value =
                    isInside
                    ? elements[(plane * height + position.0) * width + position.1]
                    : Float(geometry.padding.rawValue)
                  let filter = (output * window.kernel[0] + y) * window.kernel[1] + tap
                  sum += value * filters[filter * inputs + channel]
                }
              }
            }
            result.append(sum)
          }
        }
      }
    }
    return Tensor(result, shape: Shape([x.shape[0], outputs] + extents))
  }

  @Test func denseLayer() throws {
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: []))
    let weights = Tensor(PackedTensor(shape: [2, 3]) { [0, 1, 5].contains($0) })
    try expect(
      .binaryConvolution(BinaryConvolution(geometry: geometry)),
      [floats([1, -1, -1, 1, 1, 1], [2, 3]), weights],
      gives: [floats([1, -1, 1, -1], [2, 2])])
  }

  @Test func weightsMustBeBits() {
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: []))
    expectError(
      .binaryConvolution(BinaryConvolution(geometry: geometry)), [ramp([1, 2]), ramp([1, 2])],
      .wrongElementType(input: 1, found: .float32))
  }
}

@Suite struct BinaryPoolTests {
  @Test func maximumAndMinimumByChannel() throws {
    let pool = BinaryPool(
      window: WindowGeometry(kernel: [2], strides: [2]), inverted: [false, true])
    try expect(
      .binaryPool(pool), [floats([-1, 1, -1, -1, -1, 1, 1, 1], [1, 2, 4])],
      gives: [floats([1, -1, -1, 1], [1, 2, 2])])
  }

  @Test func paddingDoesNotCount() throws {
    let window = WindowGeometry(kernel: [2], strides: [2], padsBegin: [1], padsEnd: [1])
    let x = floats([-1, -1, 1, 1], [1, 1, 4])
    try expect(
      .binaryPool(BinaryPool(window: window, inverted: [false])), [x],
      gives: [floats([-1, 1, 1], [1, 1, 3])])
    try expect(
      .binaryPool(BinaryPool(window: window, inverted: [true])), [x],
      gives: [floats([-1, -1, 1], [1, 1, 3])])
  }

  @Test func agreesWithTheMaximumOfRealValues() throws {
    var generator = SeededGenerator(seed: 1)
    let x = Tensor.randomSigns([2, 3, 7, 6], using: &generator)
    let window = WindowGeometry(
      kernel: [3, 2], strides: [2, 2], padsBegin: [1, 0], padsEnd: [1, 1])
    let pool = Pool(kind: .maximum, window: window, ceiling: true)
    try expect(
      .binaryPool(BinaryPool(window: window, ceiling: true, inverted: [false])), [x],
      gives: try pool.evaluate([x]))
  }

  @Test func wrongNumberOfChannels() {
    let pool = BinaryPool(window: WindowGeometry(kernel: [1]), inverted: [true, false])
    expectError(
      .binaryPool(pool), [ramp([1, 3, 2])],
      .invalidAttribute(name: "inverted", value: "2 channels", expected: "1 or 3"))
  }
}
