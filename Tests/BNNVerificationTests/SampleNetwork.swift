import BNNKit
import BNNTestSupport

/// A small network as an importer gives it, and its conversion.
struct SampleNetwork {
  let source: Graph
  let canonical: Graph
  let model: BinaryModel

  /// Image → convolution → normalization → Sign → binary convolution → max pool → normalization →
  /// Sign → flatten → binary product → output.
  init() throws {
    var builder = SourceBuilder()
    let x = builder.graph.addInput(
      name: "image", type: ValueType(.float32, [.batch(1), .fixed(3), .fixed(8), .fixed(8)]))
    let first = builder.signs(
      builder.normalized(builder.convolution("first", x, builder.reals([8, 3, 3, 3])), 8, "bn1"),
      "sign1")
    let second = builder.convolution("second", first, builder.plusMinus([10, 8, 3, 3]))
    let pooled = builder.graph.add(
      .pool(Pool(kind: .maximum, window: WindowGeometry(kernel: [2, 2], strides: [2, 2]))),
      name: "pool", inputs: [second])
    let flat = builder.graph.add(
      .flatten(Flatten()), name: "flatten",
      inputs: [builder.signs(builder.normalized(pooled, 10, "bn2"), "sign2")])
    let last = builder.graph.add(
      .gemm(Gemm(transposeB: true)), name: "last",
      inputs: [flat, builder.plusMinus([5, 160])])
    builder.graph.outputs = [builder.normalized(last, 5, "bn3")]
    var source = builder.graph
    try PassPipeline([FoldConstants(), CanonicalizeSigns()]).run(on: &source)
    var canonical = builder.graph
    try PassPipeline.standard().run(on: &canonical)
    self.source = source
    self.canonical = canonical
    let provenance = Provenance(
      producer: "tests", sourceName: "sample.onnx", sourceBytes: 1, passes: [], options: [])
    model = try LoweredModel(lowering: canonical, provenance: provenance).model
  }

  func verify(
    _ changed: BinaryModel? = nil, options: Verifier.Options = .init()
  ) throws -> VerificationReport {
    let verifier = Verifier(
      source: source, canonical: canonical, model: changed ?? model, options: options)
    return try verifier.verify()
  }
}

/// Adds the usual operators with seeded weights.
struct SourceBuilder {
  var graph = Graph(name: "sample")
  private var random = SeededGenerator(seed: 7)

  mutating func reals(_ shape: Shape, in range: ClosedRange<Float> = -1...1) -> ValueID {
    let elements = (0..<shape.count).map { _ in Float.random(in: range, using: &random) }
    return graph.addConstant(Tensor(elements, shape: shape), name: "reals")
  }

  mutating func plusMinus(_ shape: Shape) -> ValueID {
    let elements = (0..<shape.count).map { _ in Bool.random(using: &random) ? Float(1) : -1 }
    return graph.addConstant(Tensor(elements, shape: shape), name: "signs")
  }

  mutating func convolution(_ name: String, _ x: ValueID, _ weights: ValueID) -> ValueID {
    let window = WindowGeometry(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
    return graph.add(
      .convolution(Convolution(geometry: ConvolutionGeometry(window: window))), name: name,
      inputs: [x, weights])
  }

  mutating func normalized(_ x: ValueID, _ channels: Int, _ name: String) -> ValueID {
    let parameters = [
      reals([channels], in: -2...2), reals([channels]), reals([channels], in: -3...3),
      reals([channels], in: 0.5...4),
    ]
    return graph.add(
      .batchNormalization(BatchNormalization()), name: name, inputs: [x] + parameters)
  }

  mutating func signs(_ x: ValueID, _ name: String) -> ValueID {
    graph.add(.elementwiseUnary(ElementwiseUnary(function: .sign)), name: name, inputs: [x])
  }
}

extension BinaryModel {
  /// The model with one bit of a layer's weights changed; nil for a layer without weights.
  func changingWeight(_ bit: Int, ofLayer index: Int) -> BinaryModel? {
    var result = self
    switch layers[index].operation {
    case .binaryConvolution(let geometry, var weights, let epilogue):
      weights[bit % weights.count].toggle()
      result.layers[index].operation = .binaryConvolution(geometry, weights: weights, epilogue)
    case .convolution(let geometry, .signs(var weights), let epilogue):
      weights[bit % weights.count].toggle()
      result.layers[index].operation = .convolution(
        geometry, weights: .signs(weights), epilogue)
    case .convolution(let geometry, .float32(var elements, let shape), let epilogue):
      let place = bit % elements.count
      elements[place] = Float(bitPattern: elements[place].bitPattern ^ 1)
      result.layers[index].operation = .convolution(
        geometry, weights: .float32(elements, shape: shape), epilogue)
    default: return nil
    }
    return result
  }
}
