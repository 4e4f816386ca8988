import BNNKit

/// The last layers.
extension NetworkBuilder {
  /// Adds the head, with simpler weights or none where it would not be exact.
  mutating func finishExactly(with head: NetworkSpec.Head, _ form: WeightForm) {
    for simpler in [form, .signs] {
      var trial = self
      trial.finish(with: head, simpler)
      guard trial.isExact else { continue }
      self = trial
      return
    }
  }

  private mutating func finish(with head: NetworkSpec.Head, _ form: WeightForm) {
    switch head {
    case .none: return
    case .signs: flow = made(binarySign().id, from: flow, bound: 1, grid: 0)
    case .binaryGemm, .binaryGemmTransposed, .binaryGemmScaled, .binaryGemmReshaped,
      .binaryMatMul, .twoBinaryLayers:
      binaryHead(head, form)
    case .binaryMatMulOfRank3: binaryMatMulOfRank3(form)
    case .realGemm, .realMatMul: realHead(flattened(flow), head)
    case .realGemmOfPool: realHead(flattened(globalPool(flow)), head)
    case .realGemmOfMean:
      guard flow.positions & (flow.positions - 1) == 0 else { return }
      let axes = integers(Array(2..<2 + flow.extents.count))
      var mean = flow
      mean.extents = []
      let id = node(.reduce(Reduce(kind: .mean, keepDimensions: false)), flow.id, axes)
      mean = made(
        id, from: mean, bound: flow.bound, grid: flow.grid + flow.positions.trailingZeroBitCount)
      realHead(mean, head)
    }
  }

  private mutating func binarySign() -> Flow {
    let x = flow.restsAtZero ? shifted(flow, by: [-0.5]) : flow
    return x.isSign ? x : plainSign(x)
  }

  private mutating func flattened(_ x: Flow, byReshape: Bool = false) -> Flow {
    var y = x
    y.channels = x.channels * x.positions
    y.extents = []
    y.id = byReshape ? reshape(x.id, [-1, y.channels]) : node(.flatten(Flatten()), x.id)
    return y
  }

  private mutating func binaryHead(_ head: NetworkSpec.Head, _ form: WeightForm) {
    let x = flattened(binarySign(), byReshape: head == .binaryGemmReshaped)
    let outputs = pick([1, 5, 10])
    binaryProducts += 1
    switch head {
    case .binaryGemmTransposed, .twoBinaryLayers:
      flow = dense(x, outputs: outputs, Gemm(transposeB: true), form, bias: true)
    case .binaryGemmScaled:
      let gemm = Gemm(alpha: 0.5, beta: -2, transposeB: numbers.nextIndex(2) == 0)
      flow = dense(x, outputs: outputs, gemm, form, bias: true)
    case .binaryMatMul:
      let weights = weights(form, [outputs, x.channels])
      let matrix = node(.transpose(Transpose(permutation: [1, 0])), weights.id)
      flow = x
      flow.channels = outputs
      flow = made(
        node(.matMul(MatMul()), x.id, matrix), from: flow, bound: x.bound * weights.bound,
        grid: weights.grid)
    default: flow = dense(x, outputs: outputs, Gemm(), form, bias: false)
    }
    guard head == .twoBinaryLayers else { return }
    let next = activations(.greaterOrEqual, of: flow).flow
    flow = dense(next, outputs: 3, Gemm(transposeB: true), form, bias: false)
  }

  /// Of every channel's positions.
  private mutating func binaryMatMulOfRank3(_ form: WeightForm) {
    let x = binarySign()
    let stack = reshape(x.id, [0, x.channels, x.positions])
    let weights = weights(form, [4, x.positions])
    let matrix = node(.transpose(Transpose(permutation: [1, 0])), weights.id)
    flow = x
    flow.extents = [4]
    binaryProducts += 1
    flow = made(
      node(.matMul(MatMul()), stack, matrix), from: flow, bound: weights.bound, grid: weights.grid)
  }

  private mutating func realHead(_ x: Flow, _ head: NetworkSpec.Head) {
    flow = attempt(x) { builder in
      let elements = builder.list(5 * x.channels, of: [-1, -0.5, 0.5, 1, 1.5])
      let isGemm = head != .realMatMul
      let matrix = builder.constant(elements, isGemm ? [5, x.channels] : [x.channels, 5])
      let op: Op = isGemm ? .gemm(Gemm(transposeB: true)) : .matMul(MatMul())
      var y = x
      y.channels = 5
      builder.realProducts += 1
      return builder.made(
        builder.node(op, x.id, matrix), from: y, bound: x.bound * 1.5 * Float(x.channels),
        grid: x.grid + 1)
    }
  }
}
