import BNNFormat
import BNNGraph
import BNNRuntime
import BNNTensor
import Testing

@testable import BNNExport

private let provenance = Provenance(
  producer: "tests", sourceName: "test.onnx", sourceBytes: 0, passes: [], options: [])

private func lowered(_ graph: Graph) throws -> LoweredModel {
  try LoweredModel(lowering: graph, provenance: provenance)
}

private func kinds(_ model: BinaryModel) -> [String] { model.layers.map(\.operation.kind) }

@Suite struct LoweringTests {
  @Test(arguments: SampleGraphs.all)
  func survivesTheFile(graph: Graph) throws {
    let model = try lowered(graph).model
    #expect(try BinaryModel(decoding: model.encoded()) == model)
  }

  @Test func networkBecomesOneLayerPerNodeAndLayouts() throws {
    let result = try lowered(SampleGraphs.network)
    #expect(
      kinds(result.model) == [
        "transpose", "convolution", "binaryConvolution", "binaryPool", "transpose", "reshape",
        "binaryConvolution", "softmax",
      ])
    #expect(result.layers.map(\.node) == [nil, 0, 1, 2, nil, 3, 4, 5])
    #expect(
      result.model.layers.map(\.name) == [
        "image (layout)", "first", "second", "pool", "pool (layout)", "flatten", "last",
        "probabilities",
      ])
  }

  @Test func interfaceKeepsNamesAndLayout() throws {
    let model = try lowered(SampleGraphs.network).model
    #expect(
      model.inputs.map { model.values[$0] } == [
        ModelValue(
          name: "image", elementType: .float32,
          dimensions: [.batch(1), .fixed(3), .fixed(6), .fixed(6)])
      ])
    #expect(
      model.outputs.map { model.values[$0] } == [
        ModelValue(
          name: "probabilities", elementType: .float32, dimensions: [.batch(1), .fixed(4)])
      ])
  }

  @Test func weightsMoveChannelsLast() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.fixed(1), .fixed(2), .fixed(3)])
    let weights = b.graph.addConstant(
      Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 2, 3]), name: "w")
    b.graph.outputs = [
      b.node(
        SampleGraphs.block(.convolution(.init(window: WindowGeometry(kernel: [3])))), "c", x,
        weights)
    ]
    let model = try lowered(b.graph).model
    guard case .convolution(_, let stored, _) = model.layers[1].operation else {
      Issue.record("no convolution")
      return
    }
    #expect(stored == .float32([1, 4, 2, 5, 3, 6], shape: [1, 3, 2]))
  }

  @Test func bitsAreSharedAndUnpackedOnce() throws {
    let result = try lowered(SampleGraphs.residual)
    #expect(
      kinds(result.model) == [
        "transpose", "pointwise", "constant", "gather", "binaryConvolution", "unpack",
        "concatenate", "pool", "reshape", "transpose",
      ])
  }

  @Test func valueMapSaysWhatEachModelValueHolds() throws {
    let graph = SampleGraphs.residual
    let result = try lowered(graph)
    #expect(result.values.count == result.model.values.count)
    for (value, source) in zip(result.model.values, result.values) {
      var typed = graph
      try typed.inferTypes()
      let logical = try #require(typed[source.value].type).dimensions
      #expect(source.permutation.map { logical[$0] } == value.dimensions)
    }
  }

  @Test func unusedHalvesOfABlockAreLeftOut() throws {
    var graph = SampleGraphs.residual
    graph.outputs = [graph.nodes[1].outputs[0]]
    let model = try lowered(graph).model
    #expect(
      kinds(model) == ["transpose", "pointwise", "constant", "gather", "transpose", "unpack"])
    guard case .pointwise(let epilogue) = model.layers[1].operation else {
      Issue.record("no pointwise layer")
      return
    }
    #expect(epilogue.output == .bits(.zeroIsMinus))
  }

  @Test func layoutsThatMoveOnlyOnesAreReshapes() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(7), .fixed(1), .fixed(1)])
    b.graph.outputs = [
      b.node(SampleGraphs.block(.pointwise), "p", x)
    ]
    #expect(kinds(try lowered(b.graph).model) == ["reshape", "pointwise", "reshape"])
  }

  /// A pixel shuffle between layers with their channels last moves numbers once.
  @Test func axesAreSplitAndJoinedChannelsLast() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(8), .fixed(3), .fixed(5)])
    let first = b.node(SampleGraphs.block(.pointwise), "first", x)
    let split = b.node(.reshape(Reshape()), "split", first, b.shape([0, 2, 2, 2, 3, 5]))
    let moved = b.node(
      .transpose(Transpose(permutation: [0, 1, 4, 2, 5, 3])), "moved", split)
    let joined = b.node(.reshape(Reshape()), "joined", moved, b.shape([0, 2, 6, 10]))
    b.graph.outputs = [b.node(SampleGraphs.block(.pointwise), "last", joined)]
    let result = try lowered(b.graph)
    #expect(
      kinds(result.model) == [
        "transpose", "pointwise", "reshape", "transpose", "reshape", "pointwise", "transpose",
      ])
    #expect(
      result.model.values.map(\.dimensions)[2...5] == [
        [.batch(1), .fixed(3), .fixed(5), .fixed(8)],
        [.batch(1), .fixed(3), .fixed(5), .fixed(2), .fixed(2), .fixed(2)],
        [.batch(1), .fixed(3), .fixed(2), .fixed(5), .fixed(2), .fixed(2)],
        [.batch(1), .fixed(6), .fixed(10), .fixed(2)],
      ])
  }

  /// Between matrix products the order of a sequence's axes is the source's.
  @Test func sequencesAreNotTransposedForOneFunction() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(6), .fixed(4)])
    let relu = Op.block(Block(core: .pointwise, epilogue: Epilogue(steps: [.function(.relu)])))
    let first = b.node(relu, "first", x)
    b.graph.outputs = [b.node(.reshape(Reshape()), "rows", first, b.shape([-1, 4]))]
    #expect(kinds(try lowered(b.graph).model) == ["pointwise", "reshape"])
    // Windows are read with the channels last.
    let weights = b.reals([1, 6, 1])
    let window = ConvolutionGeometry(window: WindowGeometry(kernel: [1]))
    b.graph.outputs.append(
      b.node(SampleGraphs.block(.convolution(window)), "line", first, weights))
    #expect(kinds(try lowered(b.graph).model).first == "transpose")
  }

  @Test func anOutputThatIsAnInputIsCopied() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(7)])
    b.graph.outputs = [b.node(.identity(Identity()), "y", x)]
    let model = try lowered(b.graph).model
    #expect(kinds(model) == ["reshape"])
    #expect(model.outputs.map { model.values[$0].name } == ["y"])
  }

  @Test func allNodesWithoutALayerAreNamed() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(4), .fixed(4), .fixed(4)])
    let one = b.node(.pRelu(PRelu()), "one", x, b.reals([1]))
    let two = b.node(
      SampleGraphs.block(.binaryConvolution(.init(window: SampleGraphs.same))), "two", x,
      b.bits([4, 3, 3, 4]))
    let after = b.node(SampleGraphs.block(.pointwise), "after", one)
    let three = b.node(.gather(Gather(axis: 0)), "three", x, b.shape([0]))
    b.graph.outputs = [after, two, three]
    #expect(
      throws: ExportError.notLowerable([
        .init(node: "one", op: "PRelu", reason: .unsupportedOperator),
        .init(node: "two", op: "Block", reason: .bitsExpected(value: "x")),
        .init(node: "three", op: "Gather", reason: .acrossBatch(axis: 0)),
      ])
    ) { try lowered(b.graph) }
  }

  @Test func anInputMayBeAnOutput() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(7)])
    b.graph.outputs = [x]
    let model = try lowered(b.graph).model
    #expect(model.layers.isEmpty && model.inputs == model.outputs)
    let tensor = Tensor((0..<14).map { Float($0) }, shape: [2, 7])
    #expect(
      try InferenceSession(BinaryModel(decoding: model.encoded())).run(["x": tensor])[0].tensor
        == tensor)
  }

  @Test func oneValueMayBeTwoOutputs() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(2)])
    let y = b.node(SampleGraphs.block(.pointwise), "y", x)
    b.graph.outputs = [y, b.node(.identity(Identity()), "z", y), b.shape([4, 5])]
    let model = try lowered(b.graph).model
    #expect(model.outputs.map { model.values[$0].name } == ["y", "z", "shape"])
    let tensor = Tensor([1, 2] as [Float], shape: [1, 2])
    let found = try InferenceSession(model).run(["x": tensor]).map(\.tensor)
    #expect(found == [tensor, tensor, Tensor([4, 5] as [Int64], shape: [2])])
  }

  @Test func inputsOfOtherTypesAreReadForACast() throws {
    var graph = Graph(name: "bytes")
    let x = graph.addInput(name: "x", type: ValueType(.uint8, [.batch(1), .fixed(2)]))
    graph.outputs = [graph.add(.cast(Cast(to: .float32)), name: "y", inputs: [x])]
    let model = try lowered(graph).model
    #expect(model.values[model.inputs[0]].elementType == .float32)
    graph.outputs = [x]
    #expect(
      throws: ExportError.notLowerable([
        .init(node: "x", op: "output", reason: .unknownType(value: "x"))
      ])
    ) { try lowered(graph) }
  }

  @Test func whatMixesTheBatchIsNamed() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(4)])
    b.graph.outputs = [
      b.node(.reduce(Reduce(kind: .sum)), "sum", x, b.shape([0])),
      b.node(.concat(Concat(axis: 0)), "joined", x, x),
      b.node(.topK(TopK(axis: 0)), "best", x, b.shape([1])),
    ]
    b.graph.nodes[2].outputs.append(b.graph.addValue(Value(name: "places")))
    #expect(
      throws: ExportError.notLowerable([
        .init(node: "sum", op: "ReduceSum", reason: .acrossBatch(axis: 0)),
        .init(node: "joined", op: "Concat", reason: .acrossBatch(axis: 0)),
        .init(node: "best", op: "TopK", reason: .acrossBatch(axis: 0)),
      ])
    ) { try lowered(b.graph) }
  }

  @Test func operandsThatAreConstantsAreLayers() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(4)])
    b.graph.outputs = [
      b.node(
        .block(Block(core: .pointwise, epilogue: Epilogue(steps: [.add(operand: 0)]))), "add", x,
        b.reals([1, 4]))
    ]
    #expect(kinds(try lowered(b.graph).model) == ["constant", "pointwise"])
  }

  @Test func modelsThatBreakTheFormatAreRefused() throws {
    var b = GraphBuilder()
    let x = b.input("x\n", [.batch(1), .fixed(4)])
    b.graph.outputs = [b.node(SampleGraphs.block(.pointwise), "p", x)]
    let error = #expect(throws: ExportError.self) { try lowered(b.graph) }
    guard case .format(let violation)? = error else {
      Issue.record("not a format error")
      return
    }
    #expect(violation.rule == .controlCharacter)
  }
}
