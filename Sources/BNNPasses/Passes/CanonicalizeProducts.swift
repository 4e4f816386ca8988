import BNNGraph
import BNNTensor

/// Writes matrix products with constant weights as convolutions, so that there is one kind of
/// layer to binarize.
///
/// - `MatMul(x, W)` with a stack of matrices x becomes the product of one matrix with all rows.
/// - `Gemm(x, W, b)` and `MatMul(x, W)` with a matrix x become `Conv` of spatial rank 0 with
///   weights [O, C], transposed as needed; α becomes a factor behind it, β scales the bias, which
///   then follows the factor.
/// - The product of a flattened map [N, C, s…] with more than one channel becomes a convolution
///   whose kernel is the whole map: the map need not be brought into another order first.
/// - What is computed element by element behind a reshape that only adds or removes extents of 1
///   moves before it, so that it is found next to the convolution it belongs to.
public struct CanonicalizeProducts: Pass {
  public let name = "canonicalize-products"
  public let summary = "Writes matrix products with constant weights as convolutions."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    var changed = true
    while changed {
      changed = false
      for index in graph.nodes.indices {
        let node = graph.nodes[index]
        guard let output = node.outputs.first, graph.isUsed(output) else { continue }
        let replacement: ValueID? =
          switch node.op {
          case .gemm(let gemm): gemm.transposeA ? nil : product(node, gemm, in: &graph)
          case .matMul: product(node, Gemm(), in: &graph)
          case .convolution(let convolution):
            wholeMapConvolution(node, convolution, in: &graph)
          case .reshape: graph.simplifiedReshape(node)
          default: node.isElementwise ? moved(node, in: &graph) : nil
          }
        guard let replacement else { continue }
        graph.replaceUses(of: output, with: replacement)
        outcome.rewrote(node, "canonicalized")
        changed = true
      }
      guard changed else { break }
      try graph.removeDeadNodes()
      try graph.inferTypes()
    }
    return outcome
  }

  /// `Conv` of spatial rank 0 for a product with constant weights.
  private func product(_ node: Node, _ gemm: Gemm, in graph: inout Graph) -> ValueID? {
    guard let x = node.input(0), let w = node.input(1), let weights = graph.constant(w),
      graph.constant(x) == nil, weights.shape.rank == 2,
      weights.elementType.isFloatingPoint, graph[x].type?.elementType == .float32
    else { return nil }
    guard graph.dimensions(x).count == 2 else { return stackedProduct(node, in: &graph) }
    let outputs = weights.shape[gemm.transposeB ? 0 : 1]
    var bias: ValueID?
    if let c = node.input(2) {
      guard let tensor = graph.constant(c),
        let elements = tensor.perChannel(rank: 2, channels: outputs)
      else { return nil }
      bias = graph.addConstant(
        Tensor(elements.expanded(to: outputs).map { $0 * gemm.beta }, shape: [outputs]),
        name: graph[c].name)
    }
    let matrix = gemm.transposeB ? weights : weights.transposedMatrix
    let constant = graph.addConstant(matrix, name: graph[w].name)
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: []))
    let output = graph.add(
      .convolution(Convolution(geometry: geometry)), name: node.name,
      inputs: [x, constant, gemm.alpha == 1 ? bias : nil])
    guard gemm.alpha != 1 else { return output }
    let factor = graph.addConstant(Tensor(scalar: gemm.alpha), name: node.name + ".alpha")
    let scaled = graph.add(
      .elementwiseBinary(ElementwiseBinary(kind: .multiply)), name: node.name,
      inputs: [output, factor])
    // The factor is not the bias's.
    guard let bias else { return scaled }
    return graph.add(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), name: node.name, inputs: [scaled, bias])
  }

  /// `MatMul(x, W)` of a stack of matrices as the product of one matrix that has all rows.
  private func stackedProduct(_ node: Node, in graph: inout Graph) -> ValueID? {
    guard case .matMul = node.op, let x = node.input(0), let from = graph[x].type,
      let to = graph[node.outputs[0]].type, from.rank >= 3,
      case .fixed(let columns)? = from.dimensions.last
    else { return nil }
    let leading = from.dimensions.dropLast()
    let count = leading.reduce(1) { $0 * $1.extent(batch: 1) }
    let stack: Dimension = leading.contains(where: \.isBatch) ? .batch(count) : .fixed(count)
    guard let back = ValueType(.float32, [stack, .fixed(columns)]).reshapeTarget(to) else {
      return nil
    }
    let rows = graph.addReshape(x, to: [-1, columns], name: node.name + ".rows")
    let product = graph.add(node.op, name: node.name, inputs: [rows, node.input(1)])
    return graph.addReshape(product, to: back, name: node.name + ".stack")
  }

  /// A convolution over the whole map for a product of a flattened map.
  private func wholeMapConvolution(
    _ node: Node, _ convolution: Convolution, in graph: inout Graph
  ) -> ValueID? {
    guard convolution.geometry.window.spatialRank == 0, let x = node.input(0),
      let reshape = graph.producer(of: x), case .reshape = reshape.op, let map = reshape.input(0),
      let weights = graph.constant(node.input(1))
    else { return nil }
    let from = graph.dimensions(map)
    let to = graph.dimensions(x)
    guard from.count >= 3, from.count <= 5, to.count == 2, from[0] == to[0],
      case .fixed(let channels) = from[1], channels > 1
    else { return nil }
    let kernel = from.dropFirst(2).map { $0.extent(batch: 1) }
    guard from.dropFirst(2).allSatisfy({ !$0.isBatch }),
      channels * kernel.reduce(1, *) == weights.shape[1]
    else { return nil }
    let outputs = weights.shape[0]
    let constant = graph.addConstant(
      weights.reshaped(to: Shape([outputs, channels] + kernel)), name: node.name + ".weight")
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: kernel))
    let output = graph.add(
      .convolution(Convolution(geometry: geometry)), name: node.name,
      inputs: [map, constant, node.input(2)])
    return graph.addReshape(output, to: [0, outputs], name: node.name + ".flat")
  }

  /// The node before the reshape that it stands behind.
  private func moved(_ node: Node, in graph: inout Graph) -> ValueID? {
    let data = node.inputs.indices.filter {
      node.inputs[$0] != nil && graph.constant(node.inputs[$0]) == nil
    }
    guard data.count == 1, let position = data.first, let x = node.inputs[position],
      let reshape = graph.producer(of: x), case .reshape = reshape.op,
      let source = reshape.input(0), graph.isSingle(x, reader: node),
      let from = graph[source].type, let to = graph[x].type, from.elementType == .float32,
      graph[node.outputs[0]].type?.dimensions == to.dimensions
    else { return nil }
    let differsByOnes =
      from.rank >= 2 && to.rank >= 2 && from.dimensions.prefix(2) == to.dimensions.prefix(2)
      && (from.dimensions.dropFirst(2) + to.dimensions.dropFirst(2)).allSatisfy { $0 == .fixed(1) }
    var operands = node.inputs
    operands[position] = source
    for (other, operand) in operands.enumerated() where other != position {
      guard let operand, let tensor = graph.constant(operand) else { continue }
      // Its parameters are lists of channels whatever the shape is.
      if case .batchNormalization = node.op { continue }
      if tensor.count == 1 {
        operands[other] = graph.addConstant(tensor.reshaped(to: []), name: graph[operand].name)
      } else if differsByOnes {
        guard let channels = to.channels,
          tensor.perChannel(rank: to.rank, channels: channels) != nil
        else { return nil }
        let ones = [Int](repeating: 1, count: from.rank - 2)
        operands[other] = graph.addConstant(
          tensor.reshaped(to: Shape([channels] + ones)), name: graph[operand].name)
      } else {
        return nil
      }
    }
    if !differsByOnes {
      switch node.op {
      case .batchNormalization: return nil
      case .binarize(let binarize) where binarize.thresholds.count > 1: return nil
      case .block(let block) where block.epilogue.isPerChannel: return nil
      default: break
      }
    }
    guard let target = from.reshapeTarget(to) else { return nil }
    let output = graph.add(node.op, name: node.name, inputs: operands)
    return graph.addReshape(output, to: target, name: node.name + ".reshape")
  }
}

extension Graph {
  func isUsed(_ value: ValueID) -> Bool {
    outputs.contains(value) || nodes.contains { $0.inputs.contains(value) }
  }

  /// Whether `reader` is the only node that uses a value, and the caller does not.
  func isSingle(_ value: ValueID, reader: Node) -> Bool {
    !outputs.contains(value)
      && nodes.allSatisfy { !$0.inputs.contains(value) || $0.outputs == reader.outputs }
  }
}

extension Tensor {
  /// A matrix of floats with rows and columns exchanged, as float32.
  var transposedMatrix: Tensor {
    let (rows, columns) = (shape[0], shape[1])
    let source = floats
    var result = [Float](repeating: 0, count: source.count)
    for row in 0..<rows {
      for column in 0..<columns { result[column * rows + row] = source[row * columns + column] }
    }
    return Tensor(result, shape: [columns, rows])
  }
}

extension Epilogue {
  /// Whether a parameter differs between channels.
  fileprivate var isPerChannel: Bool {
    steps.contains { step in
      switch step {
      case .affine(let scale, let bias): scale.count > 1 || bias.count > 1
      case .slopes(let positive, let negative): positive.count > 1 || negative.count > 1
      default: false
      }
    } || isThresholdPerChannel
  }

  private var isThresholdPerChannel: Bool {
    switch output {
    case .values: false
    case .bits(let thresholds), .valuesAndBits(let thresholds): thresholds.count > 1
    case .accumulatorBits(let thresholds): thresholds.count > 1
    }
  }
}
