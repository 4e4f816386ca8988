import BNNTensor
import Testing

@testable import BNNGraph

/// What each operator refuses. Inference and evaluation give the same error.
@Suite struct OperatorErrorTests {
  private func geometry(_ kernel: [Int], groups: Int = 1) -> ConvolutionGeometry {
    ConvolutionGeometry(window: WindowGeometry(kernel: kernel), groups: groups)
  }

  @Test func missingInputs() {
    expectError(.identity(Identity()), [], .missingInput(index: 0))
    expectError(.concat(Concat(axis: 0)), [nil], .missingInput(index: 0))
    expectError(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), [ramp([2])], .missingInput(index: 1))
    expectError(
      .batchNormalization(BatchNormalization()), [ramp([1, 2]), ramp([2])],
      .missingInput(index: 2))
    expectError(.select(Where()), [bools([true]), nil, ramp([1])], .missingInput(index: 1))
  }

  @Test func elementTypes() {
    expectError(
      .elementwiseUnary(ElementwiseUnary(function: .exponential)), [integers([1])],
      .wrongElementType(input: 0, found: .int64))
    expectError(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), [ramp([1]), integers([1])],
      .wrongElementType(input: 1, found: .int64))
    expectError(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), [bools([true]), bools([true])],
      .wrongElementType(input: 0, found: .bool))
    expectError(
      .comparison(Comparison(kind: .less)), [bools([true]), bools([true])],
      .wrongElementType(input: 0, found: .bool))
    expectError(
      .logical(Logical(kind: .and)), [ramp([1]), bools([true])],
      .wrongElementType(input: 0, found: .float32))
    expectError(
      .gather(Gather()), [ramp([2]), ramp([1])], .wrongElementType(input: 1, found: .float32))
    expectError(
      .reshape(Reshape()), [ramp([2]), ramp([1])], .wrongElementType(input: 1, found: .float32))
    expectError(
      .reduce(Reduce(kind: .logSum)), [integers([1])],
      .wrongElementType(input: 0, found: .int64))
    expectError(.cast(Cast(to: .sign)), [ramp([1])], .unsupported("a cast to bits"))
  }

  @Test func shapesThatDoNotBroadcast() {
    expectError(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), [ramp([2, 3]), ramp([2])],
      .shapeMismatch(input: 1, expected: "broadcastable with [2,3]", found: [2]))
    expectError(
      .pRelu(PRelu()), [ramp([3]), ramp([2, 3])],
      .shapeMismatch(input: 1, expected: "broadcastable to [3]", found: [2, 3]))
    expectError(
      .expand(Expand()), [ramp([3]), integers([2])],
      .shapeMismatch(input: 0, expected: "broadcastable with [2]", found: [3]))
  }

  @Test func convolutions() {
    let x = ramp([1, 4, 3, 3])
    expectError(
      .convolution(Convolution(geometry: geometry([3, 3]))), [x, ramp([2, 3, 3, 3])],
      .shapeMismatch(input: 1, expected: "[2,4,3,3]", found: [2, 3, 3, 3]))
    expectError(
      .convolution(Convolution(geometry: geometry([1, 1], groups: 3))), [x, ramp([3, 1, 1, 1])],
      .invalidAttribute(name: "group", value: "3", expected: "a divisor of 4 and 3"))
    expectError(
      .convolution(Convolution(geometry: geometry([1, 1], groups: 0))), [x, ramp([3, 1, 1, 1])],
      .invalidAttribute(name: "group", value: "0", expected: "a divisor of 4 and 3"))
    expectError(
      .convolution(Convolution(geometry: geometry([3]))), [x, ramp([1, 4, 3])],
      .wrongRank(input: 0, expected: "3", found: x.shape))
    expectError(
      .convolution(Convolution(geometry: geometry([4, 4]))), [x, ramp([1, 4, 4, 4])],
      .shapeMismatch(
        input: 0, expected: "at least a window of [4, 4] with dilations [1, 1]", found: x.shape))
    expectError(
      .convolution(Convolution(geometry: geometry([1, 1]))),
      [x, ramp([2, 4, 1, 1]), ramp([3])],
      .shapeMismatch(input: 2, expected: "[2]", found: [3]))
    expectError(
      .convolution(Convolution(geometry: geometry([1, 1, 1, 1]))), [ramp([1, 1, 1, 1, 1, 1]), x],
      .unsupported("4 spatial dimensions"))
  }

  @Test(arguments: [
    WindowGeometry(kernel: [2, 2], strides: [0, 1]),
    WindowGeometry(kernel: [2, 2], strides: [1]),
    WindowGeometry(kernel: [2, 2], dilations: [1, -1]),
    WindowGeometry(kernel: [2, 2], padsBegin: [-1, 0]),
    WindowGeometry(kernel: [2, 2], padsEnd: [0, .max]),
    WindowGeometry(kernel: [0, 2]),
  ])
  func windows(window: WindowGeometry) {
    let op = Op.pool(Pool(kind: .maximum, window: window))
    #expect {
      _ = try op.definition.evaluate([ramp([1, 1, 4, 4])])
    } throws: { error in
      if case .invalidAttribute? = error as? OperatorError { true } else { false }
    }
  }

  @Test func poolPaddingIsSmallerThanTheWindow() {
    let window = WindowGeometry(kernel: [2], padsBegin: [2])
    expectError(
      .pool(Pool(kind: .average(countPadding: false), window: window)), [ramp([1, 1, 4])],
      .invalidAttribute(name: "pads", value: "[2], [0]", expected: "less than the window [2]"))
  }

  @Test func products() {
    expectError(
      .gemm(Gemm()), [ramp([2, 3]), ramp([2, 3])],
      .shapeMismatch(input: 1, expected: "3 rows to multiply", found: [2, 3]))
    expectError(
      .gemm(Gemm()), [ramp([6]), ramp([2, 3])], .wrongRank(input: 0, expected: "2", found: [6]))
    expectError(
      .gemm(Gemm()), [ramp([2, 3]), ramp([3, 2]), ramp([3])],
      .shapeMismatch(input: 2, expected: "broadcastable to [2,2]", found: [3]))
    expectError(
      .matMul(MatMul()), [ramp([2, 2, 3]), ramp([3, 3, 2])],
      .shapeMismatch(input: 1, expected: "broadcastable with [2]", found: [3]))
    expectError(
      .matMul(MatMul()), [floats([1], []), ramp([1])],
      .wrongRank(input: 0, expected: "at least 1", found: []))
  }

  @Test func reshapes() {
    let x = ramp([2, 3])
    expectError(
      .reshape(Reshape()), [x, integers([4, -1])],
      .shapeMismatch(input: 0, expected: "as many elements as [4, -1]", found: [2, 3]))
    expectError(
      .reshape(Reshape()), [x, integers([-1, -1])],
      .invalidValue(input: 1, expected: "extents and at most one -1", found: "[-1, -1]"))
    expectError(
      .reshape(Reshape()), [x, integers([2, 3, 0])],
      .invalidValue(
        input: 1, expected: "a 0 only where x has a dimension", found: "[2, 3, 0]"))
    expectError(
      .reshape(Reshape()), [x, integers([.max, .max])], .tooLarge([.max, .max]))
    expectError(
      .flatten(Flatten(axis: 3)), [x],
      .invalidAttribute(name: "axis", value: "3", expected: "from -rank to rank 2"))
    expectError(
      .squeeze(Squeeze()), [x, integers([0])],
      .shapeMismatch(input: 0, expected: "an extent of 1 in axis 0", found: [2, 3]))
    expectError(
      .unsqueeze(Unsqueeze()), [x, integers([0, 0])],
      .invalidValue(input: 1, expected: "different axes of 4 dimensions", found: "[0, 0]"))
    expectError(
      .transpose(Transpose(permutation: [0, 0])), [x],
      .invalidAttribute(name: "perm", value: "[0, 0]", expected: "a permutation of 2 axes"))
  }

  @Test func sizesThatCannotBeMade() {
    let huge = integers([1 << 32])
    expectError(
      .constantOfShape(ConstantOfShape(value: floats([0]))), [huge], .tooLarge([1 << 32]))
    expectError(.expand(Expand()), [ramp([1]), huge], .tooLarge([1 << 32]))
    expectError(.tile(Tile()), [ramp([2]), integers([.max])], .tooLarge([.max]))
    expectError(
      .range(NumberRange()), [integers([0], []), integers([.max], []), integers([1], [])],
      .tooLarge([.max]))
  }

  @Test func indicesAndLengths() {
    #expect(
      throws: OperatorError.invalidValue(
        input: 1, expected: "indices of 3 positions", found: "3")
    ) {
      _ = try Gather().evaluate([ramp([3]), integers([3])])
    }
    expectError(
      .split(Split(axis: 0, parts: 2)), [ramp([4]), integers([1, 2])],
      .invalidValue(input: 1, expected: "lengths that add up to 4", found: "[1, 2]"))
    expectError(
      .split(Split(axis: 0, parts: 0)), [ramp([4])],
      .invalidAttribute(name: "num_outputs", value: "0", expected: "a count of parts"))
    expectError(
      .slice(Slice()), [ramp([4]), integers([0]), integers([1]), nil, integers([0])],
      .invalidValue(input: 4, expected: "1 steps other than 0", found: "[0]"))
    expectError(
      .pad(Pad(mode: .reflect)), [ramp([2]), integers([-2, 2])],
      .invalidValue(
        input: 1, expected: "pads that reflect can fill in [2]", found: "-2, 2 in axis 0"))
    expectError(
      .pad(Pad()), [ramp([2]), integers([-2, -1])],
      .invalidValue(
        input: 1, expected: "pads that constant can fill in [2]", found: "-2, -1 in axis 0"))
    expectError(
      .range(NumberRange()), [integers([0], []), integers([4], []), integers([0], [])],
      .invalidValue(input: 2, expected: "a step other than 0", found: "0.0"))
    expectError(
      .reduce(Reduce(kind: .sum)), [ramp([2, 3]), integers([2])],
      .invalidValue(input: 1, expected: "different axes of 2 dimensions", found: "[2]"))
    expectError(
      .softmax(Softmax(axis: 2)), [ramp([2, 3])],
      .invalidAttribute(name: "axis", value: "2", expected: "an axis of 2 dimensions"))
    expectError(
      .concat(Concat(axis: 0)), [ramp([2, 3]), ramp([2, 2])],
      .shapeMismatch(input: 1, expected: "[2,3] except in axis 0", found: [2, 2]))
  }

  @Test func aShapeThatDependsOnData() {
    let x = OperandFact(elementType: .float32, shape: [2])
    let unknown = OperandFact(elementType: .int64, shape: [1])
    for op: any Operator in [Reshape(), Expand(), Tile()] {
      #expect(throws: OperatorError.shapeDependsOnData(input: 1)) {
        _ = try op.inferTypes([x, unknown])
      }
    }
  }
}
