import BNNFormat
import BNNTensor
import Testing

@testable import BNNRuntime

/// Models and inputs that cannot run: each its own error, never a trap.
@Suite struct BadInputTests {
  private let network = SessionTests.network(.batch(1))

  @Test func inputs() throws {
    let session = try InferenceSession(network)
    let x = Tensor([Float](repeating: 1, count: 108), shape: [1, 3, 6, 6])
    #expect(throws: RuntimeError.missingInput(name: "x")) { try session.run([:]) }
    #expect(throws: RuntimeError.unknownInput(name: "z", expected: ["x"])) {
      try session.run(["x": x, "z": x])
    }
    let bits = Tensor(PackedTensor(shape: [1, 3, 6, 6]) { _ in true })
    #expect(throws: RuntimeError.wrongType(input: "x", expected: .float32, found: .sign)) {
      try session.run(["x": bits])
    }
    for shape in [[108], [1, 3, 6, 6, 1], [1, 3, 36, 1]] {
      #expect(
        throws: RuntimeError.wrongShape(
          input: "x", expected: network.values[0].dimensions, found: Shape(shape))
      ) { try session.run(["x": x.reshaped(to: Shape(shape))]) }
    }
  }

  @Test func threads() {
    #expect(throws: RuntimeError.threads(count: 0)) { try InferenceSession(network, threads: 0) }
    #expect(throws: RuntimeError.threads(count: .max)) {
      try InferenceSession(network, threads: .max)
    }
  }

  @Test func batchesOfDifferentSizes() throws {
    let value = { ModelValue(name: $0, elementType: .float32, dimensions: [.batch(1), .fixed(2)]) }
    let model = BinaryModel(
      provenance: .test, values: [value("a"), value("b"), value("y")], inputs: [0, 1], outputs: [2],
      layers: [
        Layer(
          name: "sum", operation: .pointwise(Epilogue(steps: [.add(operand: 0)])), inputs: [0, 1],
          outputs: [2])
      ])
    let session = try InferenceSession(model)
    #expect(throws: RuntimeError.inconsistentBatch(input: "b", expected: 1, found: 2)) {
      try session.run([
        "a": Tensor([1, 2] as [Float], shape: [1, 2]),
        "b": Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]),
      ])
    }
  }

  @Test func hugeClaims() {
    var model = network
    model.values[0].dimensions[3] = .fixed(1 << 62)
    #expect(
      throws: RuntimeError.invalidValue(name: "x", .badDimensions(model.values[0].dimensions))
    ) { try InferenceSession(model) }
    model.values[0].dimensions = [.fixed(-1)]
    #expect(throws: RuntimeError.invalidValue(name: "x", .badDimensions([.fixed(-1)]))) {
      try InferenceSession(model)
    }
    let wide = LayerCase(
      operation: .pointwise(Epilogue()), inputs: [], outputTypes: [], outputShape: [])
    var claim = wide.model
    claim.layers[0].inputs = [0]
    claim.layers[0].outputs = [1]
    claim.inputs = [0]
    claim.outputs = [1]
    claim.values = ["x", "y"].map {
      ModelValue(name: $0, elementType: .float32, dimensions: [.fixed(1 << 30)])
    }
    #expect { try InferenceSession(claim) } throws: { error in
      if case RuntimeError.tooLarge = error { true } else { false }
    }
  }

  @Test func orderOfValues() {
    var model = network
    model.layers.swapAt(1, 2)
    #expect(throws: RuntimeError.invalidValue(name: "stem bits", .neverMade)) {
      try InferenceSession(model)
    }
    model = network
    model.layers[1].outputs[0] = 0
    #expect(throws: RuntimeError.invalidValue(name: "x", .madeTwice)) {
      try InferenceSession(model)
    }
    model = network
    model.outputs = [99]
    #expect(throws: RuntimeError.invalidLayer(name: "output", .badValueIndex(99))) {
      try InferenceSession(model)
    }
    model = network
    model.layers[0].inputs = [-1]
    #expect(throws: RuntimeError.invalidLayer(name: "layer0", .badValueIndex(-1))) {
      try InferenceSession(model)
    }
    model = network
    model.values[0].elementType = .int8
    #expect(throws: RuntimeError.invalidValue(name: "x", .unsupportedType(.int8))) {
      try InferenceSession(model)
    }
  }

  /// One layer with x [1, 4, 4, 6] bits or reals and an output [1, 4, 4, 6].
  private func fault(
    _ operation: BNNFormat.Operation, input: ElementType = .float32, inputs: [Int] = [0],
    outputs: [Int] = [1], output: ElementType = .float32, dimensions: [Int] = [1, 4, 4, 6]
  ) -> RuntimeError.LayerFault? {
    func value(_ name: String, _ type: ElementType, _ dimensions: [Int]) -> ModelValue {
      ModelValue(name: name, elementType: type, dimensions: dimensions.map { .fixed($0) })
    }
    let model = BinaryModel(
      provenance: .test,
      values: [value("x", input, [1, 4, 4, 6]), value("y", output, dimensions)]
        + [value("z", .sign, [1, 4, 4, 6])], inputs: [0], outputs: [1],
      layers: [Layer(name: "layer", operation: operation, inputs: inputs, outputs: outputs)])
    do {
      _ = try InferenceSession(model)
      return nil
    } catch {
      if case .invalidLayer("layer", let fault) = error { return fault }
      return nil
    }
  }

  private let one = WindowGeometry(kernel: [1, 1])
  private func real(_ shape: Shape, groups: Int = 1, _ window: WindowGeometry? = nil)
    -> BNNFormat.Operation
  {
    .convolution(
      ConvolutionGeometry(window: window ?? one, groups: groups),
      weights: .float32([Float](repeating: 1, count: shape.count), shape: shape), Epilogue())
  }

  @Test func quantizedConvolutions() {
    func bytes(_ elements: Int = 36, padding: ConvolutionGeometry.PaddingValue = .zero)
      -> RuntimeError.LayerFault?
    {
      fault(
        .quantizedConvolution(
          ConvolutionGeometry(window: one, padding: padding),
          weights: QuantizedWeights(
            elements: .init(repeating: 1, count: elements), shape: [6, 1, 1, 6], scales: [1]),
          input: InputQuantization(scale: 1, zero: 0), Epilogue()))
    }
    #expect(bytes() == nil)
    #expect(bytes(35) == .rule(.weightsCount(expected: 36, found: 35)))
    #expect(bytes(padding: .plusOne) == .geometry(one))
  }

  /// Padding that is written out takes memory: it is charged before it is taken.
  @Test func paddingOfBytesIsCharged() {
    let pad = [1 << 19, 1 << 19, 1 << 19]
    let window = WindowGeometry(
      kernel: [1, 1, 1], strides: pad.map { 2 * $0 - 1 }, padsBegin: pad, padsEnd: pad)
    func value(_ name: String, _ extents: [Int]) -> ModelValue {
      ModelValue(
        name: name, elementType: .float32,
        dimensions: [.batch(1)] + extents.map { Dimension.fixed($0) })
    }
    let model = BinaryModel(
      provenance: .test, values: [value("x", [1, 1, 1, 1]), value("y", [2, 2, 2, 1])], inputs: [0],
      outputs: [1],
      layers: [
        Layer(
          name: "layer",
          operation: .quantizedConvolution(
            ConvolutionGeometry(window: window),
            weights: QuantizedWeights(elements: [1], shape: [1, 1, 1, 1, 1], scales: [1]),
            input: InputQuantization(scale: 1, zero: 0), Epilogue()), inputs: [0], outputs: [1])
      ])
    var isTooLarge = false
    do {
      _ = try InferenceSession(model)
    } catch {
      if case .tooLarge = error { isTooLarge = true }
    }
    #expect(isTooLarge)
  }

  @Test func convolutions() {
    #expect(fault(real([6, 1, 1, 6])) == nil)
    #expect(fault(real([6, 1, 1, 5])) == .weightShape([6, 1, 1, 5]))
    #expect(fault(real([6, 6])) == .weightShape([6, 6]))
    #expect(fault(real([6, 1, 1, 6], groups: 0)) == .groups(0))
    #expect(fault(real([6, 1, 1, 1], groups: 4)) == .groups(4))
    #expect(
      fault(real([5, 1, 1, 6]))
        == .outputShape(expected: [1, 4, 4, 5], declared: [1, 4, 4, 6]))
    let large = WindowGeometry(kernel: [5, 5])
    #expect(fault(real([6, 5, 5, 6], large)) == .geometry(large))
    let still = WindowGeometry(kernel: [1, 1], strides: [0, 1])
    #expect(fault(real([6, 1, 1, 6], still)) == .geometry(still))
    #expect(
      fault(real([6, 1, 1, 1, 1, 6], WindowGeometry(kernel: [1, 1, 1, 1]))) == .spatialRank(4))
    #expect(
      fault(real([6, 1, 6], WindowGeometry(kernel: [1])))
        == .inputShape(index: 0, found: [1, 4, 4, 6]))
    #expect(
      fault(real([6, 1, 1, 6]), input: .sign)
        == .inputType(index: 0, expected: .float32, found: .sign))
    #expect(fault(real([6, 1, 1, 6]), inputs: [0, 0]) == .inputCount(expected: 1, found: 2))
    #expect(fault(real([6, 1, 1, 6]), inputs: []) == .inputCount(expected: 1, found: 0))
    #expect(fault(real([6, 1, 1, 6]), outputs: [1, 2]) == .outputCount(expected: 1, found: 2))
    #expect(
      fault(real([6, 1, 1, 6]), output: .sign)
        == .outputType(index: 0, expected: .float32, found: .sign))
  }

  @Test func epilogues() {
    func steps(_ steps: PointwiseStep...) -> BNNFormat.Operation {
      .pointwise(Epilogue(steps: steps))
    }
    #expect(
      fault(steps(.affine(scale: [1, 2], bias: [0]))) == .parameterCount(expected: 6, found: 2))
    #expect(
      fault(steps(.slopes(positive: [], negative: [1])))
        == .parameterCount(expected: 6, found: 0))
    #expect(fault(steps(.add(operand: 0))) == .inputCount(expected: 2, found: 1))
    #expect(fault(steps(.add(operand: 1))) == .badValueIndex(1))
    #expect(fault(steps(.add(operand: -1))) == .badValueIndex(-1))
    #expect(fault(steps(.multiply(operand: .max))) == .badValueIndex(.max))
    let accumulator = Epilogue(
      output: .accumulatorBits(Thresholds(lower: [0], upper: [1], insideIsPlus: [true])))
    #expect(fault(.pointwise(accumulator), output: .sign) == .accumulatorThresholds)
  }

  @Test func others() {
    #expect(fault(.transpose(permutation: [0, 1, 2, 2])) == .axes([0, 1, 2, 2]))
    #expect(fault(.softmax(axis: 4, logarithm: false)) == .axes([4]))
    #expect(fault(.softmax(axis: -1, logarithm: false)) == .axes([-1]))
    #expect(fault(.reduce(.sum, axes: [1, 1], keepDimensions: true)) == .axes([1, 1]))
    #expect(fault(.concatenate(axis: 7)) == .axes([7]))
    #expect(
      fault(.reshape, dimensions: [1, 95])
        == .outputShape(expected: [1, 4, 4, 6], declared: [1, 95]))
    #expect(
      fault(.binaryPool(one, ceiling: false, inverted: [true, false]), input: .sign, output: .sign)
        == .parameterCount(expected: 6, found: 2))
  }

  @Test func messagesNameWhatIsWrong() {
    let error = RuntimeError.wrongShape(
      input: "x", expected: [.batch(1), .fixed(3)], found: [2, 4])
    #expect("\(error)" == "input 'x': expected shape [N,3], found [2,4]")
    #expect(
      "\(RuntimeError.invalidLayer(name: "conv", .parameterCount(expected: 6, found: 2)))"
        == "layer 'conv': 2 parameters for 6 channels")
  }
}
