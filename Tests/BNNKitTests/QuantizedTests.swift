import BNNKit
import BNNTestSupport
import Testing

/// Networks in the form of `QuantizeLinear` and `DequantizeLinear`, with 8-bit values between casts.
struct QuantizedTests {
  /// x → quantized → sign → binary convolution → quantized, transposed while it is → real.
  private func graph(_ type: ElementType) -> Graph {
    var graph = Graph(name: type.rawValue)
    let zeroPoint = type == .int8 ? Float(-3) : 131
    func add(_ op: Op, _ inputs: ValueID...) -> ValueID {
      graph.add(op, name: "n\(graph.nodes.count)", inputs: inputs)
    }
    func scalar(_ number: Float) -> ValueID {
      graph.addConstant(Tensor(scalar: number), name: "c\(graph.values.count)")
    }
    func quantized(_ x: ValueID, scale: Float) -> ValueID {
      let divided = add(.elementwiseBinary(ElementwiseBinary(kind: .divide)), x, scalar(scale))
      let rounded = add(.elementwiseUnary(ElementwiseUnary(function: .roundHalfToEven)), divided)
      let moved = add(.elementwiseBinary(ElementwiseBinary(kind: .add)), rounded, scalar(zeroPoint))
      return add(.cast(Cast(to: type)), moved)
    }
    func dequantized(_ x: ValueID, scale: Float) -> ValueID {
      let real = add(.cast(Cast(to: .float32)), x)
      let moved = add(
        .elementwiseBinary(ElementwiseBinary(kind: .subtract)), real, scalar(zeroPoint))
      return add(.elementwiseBinary(ElementwiseBinary(kind: .multiply)), moved, scalar(scale))
    }
    let x = graph.addInput(
      name: "x", type: ValueType(.float32, [.batch(1), .fixed(3), .fixed(5), .fixed(6)]))
    let sign = add(
      .elementwiseUnary(ElementwiseUnary(function: .sign)),
      add(
        .elementwiseBinary(ElementwiseBinary(kind: .add)),
        dequantized(quantized(x, scale: 0.0625), scale: 0.0625), scalar(0.01)))
    var generator = SeededGenerator(seed: 5)
    let weights = (0..<4 * 3 * 9).map { _ in Bool.random(using: &generator) ? Float(1) : -1 }
    let w = graph.addConstant(Tensor(weights, shape: [4, 3, 3, 3]), name: "w")
    let window = WindowGeometry(kernel: [3, 3])
    let sums = add(
      .convolution(Convolution(geometry: ConvolutionGeometry(window: window))), sign, w)
    let turned = add(.transpose(Transpose(permutation: [0, 2, 3, 1])), quantized(sums, scale: 0.5))
    graph.outputs = [dequantized(turned, scale: 0.5)]
    return graph
  }

  @Test(arguments: [ElementType.int8, .uint8]) func integersGoIntoTheFile(_ type: ElementType)
    throws
  {
    let source = SourceModel(
      graph: graph(type), fileName: type.rawValue, byteCount: 0, format: .onnx)
    let conversion = try Converter().convert(source)
    let model = try BinaryModel(decoding: conversion.model.encoded())
    let kinds = LayerReport.layers(of: model, summary: try FileSummary(model)).map(\.kind)
    #expect(kinds == ["binary"])
    // Some lie outside of what 8 bits hold.
    var generator = SeededGenerator(seed: 6)
    let numbers = (0..<180).map { _ in Float.random(in: -20...20, using: &generator) }
    let input = Tensor(numbers, shape: [2, 3, 5, 6])
    let expected = try ReferenceExecutor(source.graph).run(["x": input])[source.graph.outputs[0]]
    let found = try InferenceSession(model).run(["x": input])[0].tensor
    #expect(found == expected)
  }
}
