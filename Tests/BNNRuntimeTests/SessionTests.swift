import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

@Suite struct SessionTests {
  /// Two residual stages with bits and real values side by side, then pooling and a dense layer.
  static func network(_ batch: Dimension, seed: Int = 1) -> BinaryModel {
    var random = SeededGenerator(seed: seed)
    var model = BinaryModel(provenance: .test, values: [], inputs: [0], outputs: [], layers: [])
    func value(_ name: String, _ type: ElementType, _ dimensions: Int...) -> Int {
      model.values.append(
        ModelValue(
          name: name, elementType: type,
          dimensions: [batch] + dimensions.map { Dimension.fixed($0) }))
      return model.values.count - 1
    }
    func add(_ operation: BNNFormat.Operation, _ inputs: [Int], _ outputs: [Int]) {
      model.layers.append(
        Layer(
          name: "layer\(model.layers.count)", operation: operation, inputs: inputs,
          outputs: outputs))
    }
    func signs(_ dimensions: Int...) -> PackedTensor {
      let bits = random.signs(Shape(dimensions).count)
      return PackedTensor(shape: Shape(dimensions)) { bits[$0] > 0 }
    }
    let padded = WindowGeometry(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
    let x = value("x", .float32, 3, 6, 6)
    var real = value("image", .float32, 6, 6, 3)
    add(.transpose(permutation: [0, 2, 3, 1]), [x], [real])
    let stem = value("stem", .float32, 6, 6, 20)
    var bits = value("stem bits", .sign, 6, 6, 20)
    add(
      .convolution(
        ConvolutionGeometry(window: padded),
        weights: .float32(random.integers(20 * 27), shape: [20, 3, 3, 3]),
        Epilogue(
          steps: [.affine(scale: random.reals(20), bias: random.reals(20))],
          output: .valuesAndBits(.zeroIsPlus))), [real], [stem, bits])
    real = stem
    for stage in 0..<3 {
      let sum = value("sum\(stage)", .float32, 6, 6, 20)
      let next = value("bits\(stage)", .sign, 6, 6, 20)
      add(
        .binaryConvolution(
          ConvolutionGeometry(window: padded, groups: stage == 1 ? 2 : 1),
          weights: signs(20, 3, 3, stage == 1 ? 10 : 20),
          Epilogue(
            steps: [
              .affine(scale: random.reals(20), bias: random.reals(20)), .add(operand: 0),
              .slopes(positive: [1], negative: random.reals(20)),
            ], output: .valuesAndBits(.zeroIsMinus))), [bits, real], [sum, next])
      (real, bits) = (sum, next)
    }
    let pooled = value("pooled", .float32, 20)
    add(.reduce(.mean, axes: [1, 2], keepDimensions: false), [real], [pooled])
    let result = value("y", .float32, 10)
    add(
      .convolution(
        ConvolutionGeometry(window: WindowGeometry(kernel: [])),
        weights: .float32(random.reals(200), shape: [10, 20]), Epilogue()), [pooled], [result])
    model.outputs = [bits, result]
    return model
  }

  private func input(_ batch: Int) -> [String: Tensor] {
    var random = SeededGenerator(seed: 77)
    return ["x": Tensor(random.integers(batch * 108), shape: [batch, 3, 6, 6])]
  }

  /// The network by the reference's layers, one after the other.
  private func reference(_ model: BinaryModel, _ x: Tensor) -> [PlainValue] {
    let batch = x.shape[0]
    var values: [Int: PlainValue] = [0: PlainValue(x.floats, x.shape)]
    for layer in model.layers {
      let shape = model.values[layer.outputs[0]].dimensions.shape(batch: batch)
      let results = referenceOutputs(layer, layer.inputs.compactMap { values[$0] }, shape: shape)
      for (output, result) in zip(layer.outputs, results) { values[output] = result }
    }
    return model.outputs.compactMap { values[$0] }
  }

  @Test(arguments: [0, 1, 3, 7]) func agreesWithReference(batch: Int) throws {
    let model = Self.network(.batch(1))
    let x = input(batch)
    let expected = reference(model, try #require(x["x"]))
    for (kernels, threads) in [(KernelChoice.scalar, 1), (.best, 1), (.best, 3)] {
      let session = try InferenceSession(model, threads: threads, kernels: kernels)
      // The second run finds the arena as the first left it.
      for _ in 0..<2 {
        let outputs = try session.run(x)
        #expect(outputs.map(\.name) == ["bits2", "y"])
        #expect(outputs[0].tensor == Tensor(expected[0], type: .sign))
        #expect(outputs[1].tensor.shape == [batch, 10])
        for (found, wanted) in zip(outputs[1].tensor.floats, expected[1].elements) {
          #expect(abs(found - wanted) <= 1e-4 * max(1, abs(wanted)))
        }
      }
    }
  }

  @Test func slicesOfABatchGiveTheSame() throws {
    let session = try InferenceSession(Self.network(.batch(1)))
    let whole = try session.run(input(7))
    session.arenaTarget = 1
    let slices = try session.run(input(7))
    #expect(whole.map(\.tensor) == slices.map(\.tensor))
  }

  @Test func fixedBatchRunsInSlices() throws {
    let fixed = try InferenceSession(Self.network(.fixed(2)))
    let open = try InferenceSession(Self.network(.batch(1)))
    for batch in [0, 2, 6] {
      #expect(try fixed.run(input(batch)).map(\.tensor) == open.run(input(batch)).map(\.tensor))
    }
    let expected = RuntimeError.wrongShape(
      input: "x", expected: [.fixed(2), .fixed(3), .fixed(6), .fixed(6)], found: [3, 3, 6, 6])
    #expect(throws: expected) { try fixed.run(input(3)) }
  }

  @Test func profileNamesEveryLayer() throws {
    let model = Self.network(.batch(1))
    let session = try InferenceSession(model, kernels: .scalar)
    let (outputs, layers) = try session.profile(input(2))
    #expect(try outputs.map(\.tensor) == session.run(input(2)).map(\.tensor))
    #expect(layers.map(\.name) == model.layers.map(\.name))
    #expect(layers.allSatisfy { $0.milliseconds >= 0 })
    #expect(layers[1].kind == "convolution")
    #expect(layers[1].floatMACs == 2 * 36 * 20 * 27)
    #expect(layers[2].binaryMACs == 2 * 36 * 20 * 180)
    #expect(layers[3].binaryMACs == 2 * 36 * 20 * 90)
    #expect(layers[2].kernel == "bnn_bslice_2__scalar")
    #expect(session.kernelNames.contains("bnn_bslice_2__scalar"))
  }

  /// A sum takes the place of an input's copy, which every run makes again, but not of a constant,
  /// which the next run reads.
  @Test func operandsAreTheSameInEveryRun() throws {
    var random = SeededGenerator(seed: 7)
    let signs = random.signs(40 * 32)
    func value(_ name: String, _ type: ElementType, _ channels: Int) -> ModelValue {
      ModelValue(name: name, elementType: type, dimensions: [1, 4, 4, channels].map { .fixed($0) })
    }
    let constant = Tensor(random.reals(16 * 40), shape: [1, 4, 4, 40])
    func sum(of operand: Int, into result: Int) -> Layer {
      Layer(
        name: "sum\(result)",
        operation: .binaryConvolution(
          ConvolutionGeometry(
            window: WindowGeometry(kernel: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0])),
          weights: PackedTensor(shape: [40, 1, 1, 32]) { signs[$0] > 0 },
          Epilogue(steps: [.add(operand: 0)])), inputs: [0, operand], outputs: [result])
    }
    let model = BinaryModel(
      provenance: .test,
      values: [
        value("bits", .sign, 32), value("input", .float32, 40), value("constant", .float32, 40),
        value("a", .float32, 40), value("b", .float32, 40),
      ], inputs: [0, 1], outputs: [3, 4],
      layers: [
        Layer(name: "list", operation: .array(.constant(constant)), inputs: [], outputs: [2]),
        sum(of: 1, into: 3), sum(of: 2, into: 4),
      ])
    let bits = random.signs(16 * 32)
    let inputs = [
      "bits": Tensor(PackedTensor(shape: [1, 4, 4, 32]) { bits[$0] > 0 }),
      // The same numbers, so that both sums are the same.
      "input": constant,
    ]
    let session = try InferenceSession(model)
    let first = try session.run(inputs).map(\.tensor)
    #expect(first[0] == first[1])
    for _ in 0..<2 { #expect(try session.run(inputs).map(\.tensor) == first) }
  }

  @Test func inputMayBeAnOutput() throws {
    var model = Self.network(.batch(1))
    model.outputs = [0, 0]
    let x = input(3)
    let outputs = try InferenceSession(model).run(x)
    #expect(outputs.map(\.tensor) == [x["x"], x["x"]])
  }

  @Test func environmentNamesKernels() throws {
    #expect(try KernelChoice.best.resolved(environment: nil) == .best)
    #expect(try KernelChoice.best.resolved(environment: "") == .best)
    #expect(try KernelChoice.best.resolved(environment: "scalar") == .scalar)
    #expect(try KernelChoice.avx2.resolved(environment: "scalar") == .avx2)
    #expect(throws: RuntimeError.unsupportedKernels(name: "fast")) {
      try KernelChoice.best.resolved(environment: "fast")
    }
  }
}
