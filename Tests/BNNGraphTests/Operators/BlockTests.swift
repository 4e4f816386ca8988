import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNGraph

@Suite struct BlockTests {
  private func pointwise(_ steps: [PointwiseStep], _ output: Epilogue.Output = .values) -> Op {
    .block(Block(core: .pointwise, epilogue: Epilogue(steps: steps, output: output)))
  }

  @Test func affinePerChannelRoundsTwice() throws {
    let (x, scale, bias): (Float, Float, Float) = (16_777_213, 1.0000001, -16_777_215)
    let product = x * scale
    try #require(product + bias != bias.addingProduct(x, scale))
    try expect(
      pointwise([.affine(scale: [1, scale], bias: [0, bias])]), [floats([x, x], [1, 2])],
      gives: [floats([x, product + bias], [1, 2])])
  }

  @Test func slopesKeepZeroOnThePositiveSide() throws {
    try expect(
      pointwise([.slopes(positive: [2], negative: [-3])]), [floats([-1, -0.0, 0, 4, .nan])],
      gives: [floats([3, -0.0, 0, 8, .nan])])
  }

  @Test func clampKeepsNaN() throws {
    try expect(
      pointwise([.clamp(lower: -1, upper: 2)]), [floats([-5, 0.5, 5, .nan, .infinity])],
      gives: [floats([-1, 0.5, 2, .nan, 2])])
  }

  @Test func functionsAreThoseOfTheOperator() throws {
    let x = floats([-3, -0.5, 0, 2, .nan])
    for function: PointwiseFunction in [.relu, .sign, .hardSwish, .tanh, .elu(alpha: 2)] {
      try expect(
        pointwise([.function(function)]), [x],
        gives: try ElementwiseUnary(function: function).evaluate([x]))
    }
  }

  @Test func stepsRunInOrder() throws {
    try expect(
      pointwise([.affine(scale: [2], bias: [1]), .function(.relu), .affine(scale: [1], bias: [-3])]
      ),
      [floats([-2, 1])], gives: [floats([-3, 0])])
  }

  @Test(
    arguments: [
      (Shape([2, 2, 1, 2]), [10, 20, 30, 40, 50, 60, 70, 80]),  // the same shape
      (Shape([2, 2]), [10, 10, 20, 20, 30, 30, 40, 40]),  // one per image and channel
      (Shape([2, 2, 1, 1]), [10, 10, 20, 20, 30, 30, 40, 40]),
      (Shape([1, 2]), [10, 10, 20, 20, 10, 10, 20, 20]),
      (Shape([]), [10, 10, 10, 10, 10, 10, 10, 10]),
    ] as [(Shape, [Float])])
  func operandsAreBroadcast(shape: Shape, added: [Float]) throws {
    let operand = floats((0..<shape.count).map { Float(10 * $0 + 10) }, shape)
    let x = ramp([2, 2, 1, 2])
    try expect(
      pointwise([.add(operand: 0)]), [x, operand],
      gives: [floats(zip(x.floats, added).map { $0 + $1 }, x.shape)])
    try expect(
      pointwise([.multiply(operand: 0)]), [x, operand],
      gives: [floats(zip(x.floats, added).map { $0 * $1 }, x.shape)])
  }

  @Test func valuesAndTheirBits() throws {
    let thresholds = Thresholds<Float>(lower: [1], upper: [.infinity], insideIsPlus: [true])
    let steps: [PointwiseStep] = [.affine(scale: [0.5], bias: [0])]
    let x = floats([1, 2, 3])
    try expect(pointwise(steps, .bits(thresholds)), [x], gives: [floats([-1, 1, 1])])
    try expect(
      pointwise(steps, .valuesAndBits(thresholds)), [x],
      gives: [floats([0.5, 1, 1.5]), floats([-1, 1, 1])])
  }

  @Test func accumulatorBits() throws {
    let thresholds = Thresholds<Int32>(
      lower: [1, -3], upper: [.max, -1], insideIsPlus: [true, true])
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: []))
    let block = Block(
      core: .binaryConvolution(geometry),
      epilogue: Epilogue(output: .accumulatorBits(thresholds)))
    let weights = Tensor(PackedTensor(shape: [2, 3]) { _ in true })
    try expect(
      .block(block), [floats([1, 1, -1, -1, -1, 1], [2, 3]), weights],
      gives: [floats([1, -1, -1, 1], [2, 2])])
  }

  @Test func convolutionWithShortcut() throws {
    var generator = SeededGenerator(seed: 3)
    let x = Tensor.random([2, 3, 4, 4], using: &generator)
    let weights = Tensor.randomBits([3, 3, 3, 3], using: &generator)
    let geometry = ConvolutionGeometry(
      window: WindowGeometry(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1]))
    let block = Block(
      core: .convolution(geometry), epilogue: Epilogue(steps: [.add(operand: 0)]))
    let core = try Convolution(geometry: geometry).evaluate([x, weights])
    try expect(
      .block(block), [x, weights, x],
      gives: try ElementwiseBinary(kind: .add).evaluate([core[0], x]))
  }

  @Test func poolCore() throws {
    let pool = Pool(kind: .maximum, window: WindowGeometry(kernel: [2], strides: [2]))
    let block = Block(
      core: .pool(pool), epilogue: Epilogue(steps: [.affine(scale: [1], bias: [1])]))
    try expect(.block(block), [ramp([1, 1, 4])], gives: [floats([3, 1], [1, 1, 2])])
  }

  @Test func missingOperand() {
    expectError(pointwise([.add(operand: 1)]), [ramp([2]), ramp([2])], .missingInput(index: 2))
  }

  @Test func operandThatDoesNotFit() {
    expectError(
      pointwise([.add(operand: 0)]), [ramp([1, 2, 3]), ramp([3, 3])],
      .shapeMismatch(input: 1, expected: "broadcastable to [1,2,3]", found: [3, 3]))
  }

  @Test func parametersThatDoNotFit() {
    expectError(
      pointwise([.affine(scale: [1, 2], bias: [1, 2])]), [ramp([1, 3])],
      .invalidAttribute(name: "steps", value: "2 and 2 parameters", expected: "1 or 3"))
  }

  @Test func accumulatorBitsNeedAnAccumulator() {
    let thresholds = Thresholds<Int32>(lower: [0], upper: [1], insideIsPlus: [true])
    expectError(
      pointwise([], .accumulatorBits(thresholds)), [ramp([2])],
      .invalidAttribute(
        name: "output", value: "accumulatorBits",
        expected: "a binary convolution without steps"))
  }
}
