import BNNGraph
import BNNTensor

/// Finished graphs for the tests, and a short way to write them.
struct GraphBuilder {
  var graph = Graph(name: "test")
  private var seed: UInt64 = 1

  mutating func input(_ name: String, _ dimensions: [Dimension]) -> ValueID {
    graph.addInput(name: name, type: ValueType(.float32, dimensions))
  }

  mutating func node(_ op: Op, _ name: String, _ inputs: ValueID?...) -> ValueID {
    graph.add(op, name: name, inputs: inputs)
  }

  mutating func bits(_ shape: Shape) -> ValueID {
    let packed = PackedTensor(shape: shape) { _ in random() & 1 == 1 }
    return graph.addConstant(Tensor(packed), name: "bits")
  }

  mutating func reals(_ shape: Shape) -> ValueID {
    let elements = (0..<shape.count).map { _ in Float(Int(random() % 255) - 127) / 64 }
    return graph.addConstant(Tensor(elements, shape: shape), name: "reals")
  }

  mutating func shape(_ extents: [Int64]) -> ValueID {
    graph.addConstant(Tensor(extents, shape: [extents.count]), name: "shape")
  }

  private mutating func random() -> UInt64 {
    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return seed >> 33
  }
}

enum SampleGraphs {
  static let same = WindowGeometry(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
  static let dense = ConvolutionGeometry(window: WindowGeometry(kernel: []))

  static func block(_ core: Block.Core, _ output: Epilogue.Output = .values) -> Op {
    .block(Block(core: core, epilogue: Epilogue(output: output)))
  }

  static func bounds(_ count: Int) -> Thresholds<Int32> {
    Thresholds(
      lower: (0..<count).map { Int32($0 % 5) - 2 }, upper: .init(repeating: .max, count: count),
      insideIsPlus: (0..<count).map { $0 % 3 != 1 })
  }

  /// Image → float convolution → bits → binary convolutions → pool → flatten → dense → output.
  static var network: Graph {
    var b = GraphBuilder()
    let x = b.input("image", [.batch(1), .fixed(3), .fixed(6), .fixed(6)])
    let first = b.node(
      block(.convolution(.init(window: same)), .bits(.zeroIsPlus)), "first", x,
      b.reals([8, 3, 3, 3]))
    let second = b.node(
      block(.binaryConvolution(.init(window: same, groups: 2)), .accumulatorBits(bounds(6))),
      "second", first, b.bits([6, 3, 3, 4]))
    let pooled = b.node(
      .binaryPool(
        BinaryPool(window: WindowGeometry(kernel: [2, 2], strides: [2, 2]), inverted: [false])),
      "pool", second)
    let flat = b.node(.flatten(Flatten()), "flatten", pooled)
    let last = b.node(
      .block(
        Block(
          core: .binaryConvolution(dense),
          epilogue: Epilogue(steps: [.affine(scale: [0.5, 2, -1, 1], bias: [1, 0, 2, -3])]))),
      "last", flat,
      b.bits([4, 54]))
    b.graph.outputs = [b.node(.softmax(Softmax()), "probabilities", last)]
    return b.graph
  }

  /// Residual: real values and bits of one block, both used; channels shuffled and joined.
  static var residual: Graph {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(4), .fixed(5), .fixed(3)])
    b.graph.nodes.append(
      Node(
        name: "entry",
        op: .block(
          Block(
            core: .pointwise,
            epilogue: Epilogue(
              steps: [.affine(scale: [1, 2, 3, 4], bias: [0.5, 0, -1, 1])],
              output: .valuesAndBits(.zeroIsMinus)))), inputs: [x],
        outputs: [b.graph.addValue(Value(name: "v")), b.graph.addValue(Value(name: "s"))]))
    let (values, signs) = (b.graph.nodes[0].outputs[0], b.graph.nodes[0].outputs[1])
    let indices = b.graph.addConstant(
      Tensor([2, 0, 3, -3] as [Int64], shape: [4]), name: "order")
    let shuffled = b.node(.gather(Gather(axis: 1)), "shuffle", signs, indices)
    let sum = b.node(
      .block(
        Block(
          core: .binaryConvolution(.init(window: same)),
          epilogue: Epilogue(
            steps: [
              .affine(scale: [0.25], bias: [0]), .add(operand: 0),
              .slopes(positive: [1, 1, 2, 1], negative: [0.1, 0.2, 0.3, 0.4]),
            ]))), "sum", shuffled, b.bits([4, 3, 3, 4]), values)
    let joined = b.node(.concat(Concat(axis: 1)), "join", sum, signs)
    let pooled = b.node(
      block(
        .pool(
          Pool(
            kind: .average(countPadding: false), window: WindowGeometry(kernel: [1, 1]),
            isGlobal: true))), "pool", joined)
    let flat = b.node(
      .reshape(Reshape()), "flat", pooled, b.shape([0, -1]))
    b.graph.outputs = [flat, sum]
    return b.graph
  }

  /// Layout changes of all kinds on real values.
  static var layouts: Graph {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(4), .fixed(2), .fixed(3)])
    let scaled = b.node(
      .block(
        Block(
          core: .pointwise,
          epilogue: Epilogue(steps: [.affine(scale: [1, 2, 3, 4], bias: [0, 1, 2, 3])]))), "scale",
      x)
    let mean = b.node(
      .reduce(Reduce(kind: .mean, keepDimensions: false)), "mean", scaled, b.shape([3]))
    let turned = b.node(.transpose(Transpose(permutation: [0, 2, 1])), "turn", mean)
    let line = b.node(
      block(.convolution(.init(window: WindowGeometry(kernel: [3])))), "line", turned,
      b.reals([5, 2, 3]))
    let soft = b.node(.softmax(Softmax(axis: 1, logarithm: true)), "soft", line)
    let back = b.node(.reshape(Reshape()), "back", scaled, b.shape([-1, 2, 12]))
    let biased = b.node(
      .block(
        Block(
          core: .pointwise, epilogue: Epilogue(steps: [.multiply(operand: 0), .add(operand: 1)]))),
      "bias", back, b.node(.reduce(Reduce(kind: .maximum)), "largest", back, b.shape([1])), back)
    b.graph.outputs = [soft, biased, turned]
    return b.graph
  }

  static let all = [network, residual, layouts]
}
