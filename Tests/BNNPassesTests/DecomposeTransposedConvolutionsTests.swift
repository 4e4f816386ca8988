import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct DecomposeTransposedConvolutionsTests {
  struct Form: CustomStringConvertible, Sendable {
    var input: [Int]
    var kernel: [Int]
    var strides: [Int]
    var padsBegin: [Int]
    var padsEnd: [Int]
    var outputPadding: [Int] = []
    var groups = 1
    var description: String {
      "\(input) kernel \(kernel) strides \(strides) pads \(padsBegin) \(padsEnd) \(groups)"
    }
  }

  static let forms: [Form] = [
    Form(input: [4, 3], kernel: [2, 2], strides: [2, 2], padsBegin: [0, 0], padsEnd: [0, 0]),
    Form(input: [4, 3], kernel: [4, 4], strides: [2, 2], padsBegin: [1, 1], padsEnd: [1, 1]),
    Form(
      input: [4, 3], kernel: [3, 3], strides: [2, 2], padsBegin: [1, 1], padsEnd: [1, 1],
      outputPadding: [1, 1]),
    Form(
      input: [4, 3], kernel: [3, 3], strides: [2, 2], padsBegin: [1, 0], padsEnd: [0, 1],
      groups: 2),
    Form(input: [4, 3], kernel: [3, 2], strides: [1, 1], padsBegin: [1, 0], padsEnd: [1, 1]),
    Form(input: [5, 4], kernel: [3, 3], strides: [1, 1], padsBegin: [3, 4], padsEnd: [3, 0]),
    Form(input: [4, 3], kernel: [1, 1], strides: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0]),
    Form(
      input: [4, 3], kernel: [1, 2], strides: [3, 2], padsBegin: [0, 0], padsEnd: [0, 0],
      outputPadding: [2, 1]),
    Form(input: [4, 3], kernel: [5, 4], strides: [3, 2], padsBegin: [4, 3], padsEnd: [3, 3]),
    Form(input: [6], kernel: [4], strides: [2], padsBegin: [1], padsEnd: [1], groups: 4),
    Form(
      input: [2, 3, 2], kernel: [2, 3, 2], strides: [2, 2, 2], padsBegin: [0, 1, 0],
      padsEnd: [0, 1, 0]),
  ]

  @Test(arguments: forms, [true, false]) func everyFormIsAConvolution(
    form: Form, hasBias: Bool
  ) throws {
    var b = GraphBuilder()
    var numbers = Numbers(seed: 11)
    let (channels, perGroup) = (4, 3)
    let count = channels * perGroup * form.kernel.reduce(1, *)
    let weights = b.constant(
      numbers.integers(count, -3...3), Shape([channels, perGroup] + form.kernel))
    let outputs = perGroup * form.groups
    let bias = hasBias ? b.constant(numbers.integers(outputs, -3...3), [outputs]) : nil
    let window = WindowGeometry(
      kernel: form.kernel, strides: form.strides, padsBegin: form.padsBegin, padsEnd: form.padsEnd)
    let y = b.node(
      .transposedConvolution(
        TransposedConvolution(
          geometry: ConvolutionGeometry(window: window, groups: form.groups),
          outputPadding: form.outputPadding)),
      b.input([channels] + form.input), weights, bias)
    let before = b.finish(y)
    let (after, _) = try apply([DecomposeTransposedConvolutions()], to: before)
    #expect(operators(after).first == "Conv")
    #expect(after[after.outputs[0]].name == before[before.outputs[0]].name)
    let shape = Shape([2, channels] + form.input)
    try expectSameMeaning(
      before, after, on: Tensor(numbers.integers(shape.count, -4...4), shape: shape))
  }

  @Test func dilatedOnesStay() throws {
    var b = GraphBuilder()
    let window = WindowGeometry(kernel: [2, 2], dilations: [2, 1])
    let weights = b.constant([Float](repeating: 1, count: 8), [2, 1, 2, 2])
    let y = b.node(
      .transposedConvolution(
        TransposedConvolution(
          geometry: ConvolutionGeometry(window: window, groups: 1), outputPadding: [])),
      b.input([2, 3, 3]), weights)
    let before = b.finish(y)
    let (after, _) = try apply([DecomposeTransposedConvolutions()], to: before)
    #expect(operators(after) == ["ConvTranspose"])
  }
}
