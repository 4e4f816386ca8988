import BNNKit
import BNNTestSupport
import Testing

/// Random small binary networks through passes, file and runtime.
///
/// All parameters are dyadic and small, so that float32 arithmetic is exact in any order: source,
/// canonical graph and runtime must agree bit for bit.
struct RandomNetworkTests {
  @Test(arguments: 0..<150)
  func sourceFileAndRuntimeAgree(_ seed: UInt64) throws {
    var network = RandomNetwork(seed: seed)
    let source = SourceModel(
      graph: network.build(), fileName: "seed \(seed)", byteCount: 0, format: .onnx)
    let converter = try Converter()
    let conversion = try converter.convert(source)
    let bytes = try conversion.model.encoded()
    let model = try BinaryModel(decoding: bytes)
    #expect(model == conversion.model)
    #expect(try model.encoded() == bytes)
    let input = network.input(batch: 3)
    let resolved = try converter.resolveSigns(of: source)
    let expected = try ReferenceExecutor(resolved).run(["x": input])[resolved.outputs[0]]
    let canonical = conversion.canonical
    let meant = try ReferenceExecutor(canonical).run(["x": input])[canonical.outputs[0]]
    #expect(meant?.floats == expected?.floats, "passes changed the function")
    for (threads, kernels) in [(1, KernelChoice.scalar), (1, .best), (3, .best)] {
      let session = try InferenceSession(model, threads: threads, kernels: kernels)
      let found = try session.run(["x": input])[0].tensor
      #expect(found.shape == expected?.shape)
      #expect(found.floats == expected?.floats, "\(threads) threads, \(kernels) kernels")
    }
  }
}

/// Makes a network from a seed.
private struct RandomNetwork {
  private var generator: SeededGenerator
  private var graph = Graph(name: "random")
  private let shape: [Int]

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    let channels = [1, 2, 3, 4, 6, 8, 16, 31, 33, 64, 66].randomElement(using: &generator) ?? 4
    shape = [
      channels, Int.random(in: 3...8, using: &generator), Int.random(in: 3...8, using: &generator),
    ]
  }

  mutating func input(batch: Int) -> Tensor {
    let full = Shape([batch] + shape)
    return Tensor(
      (0..<full.count).map { _ in Float(Int.random(in: -4...4, using: &generator)) / 2 },
      shape: full)
  }

  mutating func build() -> Graph {
    var x = graph.addInput(
      name: "x", type: ValueType(.float32, [.batch(1)] + shape.map { .fixed($0) }))
    var (channels, height, width) = (shape[0], shape[1], shape[2])
    for layer in 0..<Int.random(in: 1...4, using: &generator) {
      let name = "layer\(layer)"
      let divisors = (1...channels).filter { channels % $0 == 0 }
      let groups = divisors.randomElement(using: &generator) ?? 1
      let outputs = groups * Int.random(in: 1...max(1, 40 / groups), using: &generator)
      let window = randomWindow(height, width)
      guard let extents = window.outputExtents(of: [height, width]) else { continue }
      let shortcut = x
      var y = convolution(sign(x, name), channels, outputs, groups, window, name)
      if Bool.random(using: &generator), extents[0] >= 2, extents[1] >= 2 {
        let pool = Pool(kind: .maximum, window: WindowGeometry(kernel: [2, 2]))
        y = graph.add(.pool(pool), name: name + ".pool", inputs: [y])
        (height, width) = (extents[0] - 1, extents[1] - 1)
      } else {
        (height, width) = (extents[0], extents[1])
      }
      y = normalization(y, outputs, name)
      if outputs == channels,
        graph[shortcut].type?.dimensions.dropFirst(2).map({ $0 }) == [
          .fixed(height), .fixed(width),
        ]
      {
        y = graph.add(
          .elementwiseBinary(ElementwiseBinary(kind: .add)), name: name + ".add",
          inputs: [y, shortcut])
      }
      if Bool.random(using: &generator) { y = activation(y, outputs, name) }
      channels = outputs
      graph[y].type = ValueType(
        .float32, [.batch(1), .fixed(channels), .fixed(height), .fixed(width)])
      x = y
    }
    let flat = graph.add(.flatten(Flatten()), name: "flat", inputs: [sign(x, "head")])
    let features = channels * height * width
    let weights = signs(5 * features, [5, features])
    graph.outputs = [
      graph.add(.gemm(Gemm(transposeB: true)), name: "fc", inputs: [flat, weights])
    ]
    return graph
  }

  private mutating func randomWindow(_ height: Int, _ width: Int) -> WindowGeometry {
    func pick(_ range: ClosedRange<Int>) -> [Int] {
      [Int.random(in: range, using: &generator), Int.random(in: range, using: &generator)]
    }
    return WindowGeometry(
      kernel: pick(1...3), strides: pick(1...2), dilations: pick(1...2), padsBegin: pick(0...2),
      padsEnd: pick(0...2))
  }

  /// A sign in one of several spellings.
  private mutating func sign(_ x: ValueID, _ name: String) -> ValueID {
    func scalar(_ number: Float) -> ValueID {
      graph.addConstant(Tensor(scalar: number), name: "\(number)")
    }
    switch Int.random(in: 0...2, using: &generator) {
    case 0:
      return graph.add(
        .elementwiseUnary(ElementwiseUnary(function: .sign)), name: name + ".sign", inputs: [x])
    case 1:
      let test = graph.add(
        .comparison(Comparison(kind: .greaterOrEqual)), name: name + ".ge", inputs: [x, scalar(0)])
      return graph.add(
        .select(Where()), name: name + ".sign", inputs: [test, scalar(1), scalar(-1)])
    default:
      let test = graph.add(
        .comparison(Comparison(kind: .less)), name: name + ".lt", inputs: [x, scalar(0.5)])
      return graph.add(
        .select(Where()), name: name + ".sign", inputs: [test, scalar(-1), scalar(1)])
    }
  }

  private mutating func signs(_ count: Int, _ shape: Shape, scales: [Float] = [1]) -> ValueID {
    let perScale = count / scales.count
    let elements = (0..<count).map { index in
      Bool.random(using: &generator) ? scales[index / perScale] : -scales[index / perScale]
    }
    return graph.addConstant(Tensor(elements, shape: shape), name: "w\(graph.values.count)")
  }

  private mutating func convolution(
    _ x: ValueID, _ channels: Int, _ outputs: Int, _ groups: Int, _ window: WindowGeometry,
    _ name: String
  ) -> ValueID {
    let shape = Shape([outputs, channels / groups] + window.kernel)
    let scales = dyadic(outputs, [0.25, 0.5, 1, 2])
    let geometry = ConvolutionGeometry(window: window, groups: groups)
    let weights = signs(shape.count, shape, scales: scales)
    return graph.add(
      .convolution(Convolution(geometry: geometry)), name: name + ".conv", inputs: [x, weights])
  }

  private mutating func dyadic(_ count: Int, _ choices: [Float]) -> [Float] {
    (0..<count).map { _ in choices.randomElement(using: &generator) ?? 1 }
  }

  private mutating func normalization(_ x: ValueID, _ channels: Int, _ name: String) -> ValueID {
    let operands = [
      dyadic(channels, [-2, -1, -0.5, 0, 0.5, 1]), dyadic(channels, [-1.5, -0.25, 0, 1]),
      dyadic(channels, [-3, -1, 0, 0.5, 2]), dyadic(channels, [0.25, 1, 4]),
    ].map { graph.addConstant(Tensor($0, shape: [channels]), name: "bn\(graph.values.count)") }
    return graph.add(
      .batchNormalization(BatchNormalization(epsilon: 0)), name: name + ".bn",
      inputs: [x] + operands)
  }

  private mutating func activation(_ x: ValueID, _ channels: Int, _ name: String) -> ValueID {
    let slopes = graph.addConstant(
      Tensor(dyadic(channels, [-0.5, 0, 0.25, 1]), shape: [channels, 1, 1]), name: name + ".slope")
    return graph.add(.pRelu(PRelu()), name: name + ".prelu", inputs: [x, slopes])
  }
}
