import BNNKit
import BNNTestSupport
import Testing

/// Signs stay signs through operators that only move elements, also where bits have no form of
/// their own and are packed again.
struct MovedSignsTests {
  enum Move: String, CaseIterable {
    case reflect, edge, wrap, padPlusOne, slice, tile, expandChannels, nearest, gather, concat
  }

  private func graph(_ move: Move) -> Graph {
    var generator = SeededGenerator(seed: 3)
    var graph = Graph(name: move.rawValue)
    let x = graph.addInput(
      name: "x", type: ValueType(.float32, [.batch(1), .fixed(1), .fixed(4), .fixed(6)]))
    let sign = graph.add(
      .elementwiseUnary(ElementwiseUnary(function: .sign)), name: "sign", inputs: [x])
    func integers(_ numbers: Int64...) -> ValueID {
      graph.addConstant(Tensor(numbers, shape: [numbers.count]), name: "i\(graph.values.count)")
    }
    func add(_ op: Op, _ inputs: ValueID?...) -> ValueID {
      graph.add(op, name: move.rawValue, inputs: inputs)
    }
    var channels = 1
    let moved: ValueID
    switch move {
    case .reflect: moved = add(.pad(Pad(mode: .reflect)), sign, integers(0, 0, 1, 1, 0, 0, 2, 0))
    case .edge: moved = add(.pad(Pad(mode: .edge)), sign, integers(0, 0, 1, 0, 0, 0, 0, 3))
    case .wrap: moved = add(.pad(Pad(mode: .wrap)), sign, integers(0, 0, 1, 1, 0, 0, 1, 1))
    case .padPlusOne:
      let one = graph.addConstant(Tensor(scalar: 1), name: "one")
      // Channels are padded as well: no convolution's padding.
      moved = add(.pad(Pad(mode: .constant)), sign, integers(0, 1, 0, 0, 0, 0, 1, 0), one)
      channels = 2
    case .slice:
      moved = add(.slice(Slice()), sign, integers(3), integers(-9), integers(2), integers(-2))
    case .tile:
      moved = add(.tile(Tile()), sign, integers(1, 3, 1, 2))
      channels = 3
    case .expandChannels:
      moved = add(.expand(Expand()), sign, integers(1, 5, 1, 1))
      channels = 5
    case .nearest:
      let scales = graph.addConstant(Tensor([Float(1), 1, 2, 2], shape: [4]), name: "scales")
      moved = add(
        .resize(Resize(mode: .nearest(.floor), coordinates: .asymmetric)), sign, nil, scales)
    case .gather: moved = add(.gather(Gather(axis: 2)), sign, integers(3, 0, 0, 2))
    case .concat:
      moved = add(.concat(Concat(axis: 1)), sign, sign)
      channels = 2
    }
    let weights = (0..<2 * channels * 4).map { _ in Bool.random(using: &generator) ? Float(1) : -1 }
    let w = graph.addConstant(Tensor(weights, shape: [2, channels, 2, 2]), name: "w")
    let window = WindowGeometry(kernel: [2, 2])
    graph.outputs = [
      graph.add(
        .convolution(Convolution(geometry: ConvolutionGeometry(window: window))), name: "conv",
        inputs: [moved, w])
    ]
    return graph
  }

  @Test(arguments: Move.allCases) func theConvolutionIsBinary(_ move: Move) throws {
    let source = SourceModel(
      graph: graph(move), fileName: move.rawValue, byteCount: 0, format: .onnx)
    let conversion = try Converter().convert(source)
    let model = try BinaryModel(decoding: conversion.model.encoded())
    let kinds = LayerReport.layers(of: model, summary: try FileSummary(model)).map(\.kind)
    #expect(kinds == ["binary"])
    var generator = SeededGenerator(seed: 4)
    let numbers = (0..<48).map { _ in Float.random(in: 0.1...1, using: &generator) }
    let input = Tensor(
      numbers.map { Bool.random(using: &generator) ? $0 : -$0 }, shape: [2, 1, 4, 6])
    let expected = try ReferenceExecutor(source.graph).run(["x": input])[source.graph.outputs[0]]
    let found = try InferenceSession(model).run(["x": input])[0].tensor
    #expect(found == expected)
  }
}
