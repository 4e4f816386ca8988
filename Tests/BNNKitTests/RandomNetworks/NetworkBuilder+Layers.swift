import BNNKit

/// Layers: what stands around a product.
extension NetworkBuilder {
  mutating func prepareInput(_ form: NetworkSpec.InputForm) {
    let rank = flow.extents.count
    switch form {
    case .plain: break
    case .scaled:
      flow = multiplied(flow, by: [2])
      flow = shifted(flow, by: [-0.5])
    case .channelsLast:
      flow.id = node(
        .transpose(Transpose(permutation: [0, rank + 1] + Array(1...rank))), flow.id)
    case .thermometer, .thermometerTable:
      let levels = pick([2, 3, 4])
      let wide = reshape(flow.id, [-1, flow.channels, 1] + flow.extents)
      let isTable = form == .thermometerTable
      let count = (isTable ? flow.channels : 1) * levels
      let table = constant(
        list(count, of: [-2, -1, -0.5, 0, 0.5, 1]),
        Shape([1, isTable ? flow.channels : 1, levels] + flow.extents.map { _ in 1 }))
      let mask = cast(compare(.less, table, wide))
      let signs = binary(.subtract, binary(.multiply, mask, scalar(2)), scalar(1))
      flow.channels *= levels
      flow = made(
        reshape(signs, [-1, flow.channels] + flow.extents), from: flow, bound: 1, grid: 0)
      flow.isSign = true
    case .thermometerOfOneChannel where flow.channels == 1:
      let table = list(pick([2, 4]), of: [-2, -1, -0.5, 0, 0.5, 1])
      let operand = constant(table, Shape([table.count] + flow.extents.map { _ in 1 }))
      flow.channels = table.count
      flow = made(binary(.subtract, flow.id, operand), from: flow, bound: 6, grid: 1)
    case .thermometerOfOneChannel: break
    }
  }

  mutating func append(_ layer: LayerSpec) {
    let outputs = suitableOutputs(layer)
    var y = block(layer, outputs: outputs)
    if layer.pooling == .maximumFirst { y = pooled(y, .maximum) }
    if layer.bias == .added {
      y = attempt(y) { $0.shifted(y, by: $0.list(y.channels, of: [-1.5, -0.5, 0, 1])) }
    }
    if layer.scale == .before || layer.scale == .ofLayer {
      let count = layer.scale == .before ? y.channels : 1
      y = attempt(y) { $0.multiplied(y, by: $0.list(count, of: [-1, 0.25, 0.5, 2])) }
    }
    if layer.normalization != .afterSum { y = normalized(y, layer.normalization) }
    y = withResidual(y, layer.residual)
    if layer.normalization == .afterSum { y = normalized(y, .plain) }
    if layer.scale == .after {
      y = attempt(y) { $0.multiplied(y, by: $0.list(y.channels, of: [-1, 0, 0.5, 2])) }
    }
    y = activated(y, layer.activation)
    switch layer.pooling {
    case .maximum, .average, .overlapping, .ceiling: y = pooled(y, layer.pooling)
    default: break
    }
    flow = y
  }

  /// A shortcut needs as many channels as it has.
  private func suitableOutputs(_ layer: LayerSpec) -> Int {
    guard flow.channels <= 33 else { return layer.outputs }
    switch layer.residual {
    case .sum, .shortcutFirst: return flow.channels
    case .doubled, .tiled: return 2 * flow.channels
    case .halved: return flow.channels % 2 == 0 ? flow.channels / 2 : layer.outputs
    case .none: return layer.outputs
    }
  }

  // MARK: Before the sign

  mutating func activations(_ layer: LayerSpec, of x: Flow) -> Activations {
    guard !x.isSign else { return activations(layer.sign, of: x) }
    if layer.beforeSign == .channelsLast, !x.extents.isEmpty {
      return channelsLast(x) {
        $0.activations(layer.sign.isForAnyOrder ? layer.sign : .greater, of: $1)
      }
    }
    var x = attempt(x) { $0.prepared(x, layer.beforeSign) }
    if x.restsAtZero { x = shifted(x, by: [-0.5]) }
    var result = activations(layer.sign, of: x)
    // The maximum of what falls somewhere, or of signs of different values, is no combination of signs.
    let formsOfNoMaximum: [SignForm] = [.sumOfSigns, .differenceOfMasks, .bipolarScaled]
    if layer.pooling == .maximumOfSigns, !formsOfNoMaximum.contains(layer.sign) {
      result.flow = pooled(result.flow, .maximum)
    }
    return result
  }

  /// Signs between transpositions, behind a bias of each channel.
  private mutating func channelsLast(
    _ x: Flow, _ signs: (inout NetworkBuilder, Flow) -> Activations
  ) -> Activations {
    let rank = x.extents.count
    var x = x
    x.id = node(.transpose(Transpose(permutation: [0] + Array(2..<rank + 2) + [1])), x.id)
    x = attempt(x) {
      let terms = $0.constant($0.list(x.channels, of: [-1, -0.5, 0, 0.25]), [x.channels])
      return $0.made(
        $0.binary(.add, x.id, terms), from: x, bound: x.bound + 1, grid: max(x.grid, 2))
    }
    if x.restsAtZero { x = shifted(x, by: [-0.5]) }
    var result = signs(&self, x)
    result.flow.id = node(
      .transpose(Transpose(permutation: [0, rank + 1] + Array(1...rank))), result.flow.id)
    return result
  }

  private mutating func prepared(_ x: Flow, _ form: BeforeSign) -> Flow? {
    switch form {
    case .nothing, .channelsLast: return nil
    case .channelBias: return shifted(x, by: list(x.channels, of: [-1, -0.5, 0, 0.25]))
    case .fullSizeBias:
      let terms = list(x.channels, of: [-1, -0.5, 0, 0.25])
      let wide = constant(
        terms.flatMap { [Float](repeating: $0, count: x.positions) },
        Shape([1, x.channels] + x.extents))
      return made(binary(.add, x.id, wide), from: x, bound: x.bound + 1, grid: max(x.grid, 2))
    case .scaledNormalization: return normalized(x, .plain)
    case .clip: return clipped(x, -1, 1)
    case .maximumPool: return pooled(x, .maximum)
    }
  }

  // MARK: Behind the product

  private mutating func normalized(_ x: Flow, _ form: Normalization) -> Flow {
    guard form != .none else { return x }
    return attempt(x) { builder in
      let gamma = builder.list(x.channels, of: [-1, -0.5, 0, 0.5, 1, 2])
      let beta = builder.list(x.channels, of: [-1.5, -0.25, 0, 1])
      let mean = builder.list(x.channels, of: [-3, -1, 0, 0.5, 2])
      if form == .dividing {
        let rank = x.extents.count
        let centred = builder.shifted(x, by: mean)
        let divisors = builder.list(x.channels, of: [0.5, 1, 2, -1])
        let divided = builder.made(
          builder.binary(.divide, centred.id, builder.perChannel(divisors, rank: rank)), from: x,
          bound: centred.bound * 2, grid: centred.grid + 1)
        return builder.shifted(builder.multiplied(divided, by: gamma), by: beta)
      }
      let variance = builder.list(x.channels, of: [0.25, 1, 4])
      let operands = [gamma, beta, mean, variance].map { builder.constant($0, [x.channels]) }
      let id = builder.node(
        .batchNormalization(BatchNormalization(epsilon: 0)), x.id, operands[0], operands[1],
        operands[2], operands[3])
      return builder.made(
        id, from: x, bound: (x.bound + 3) * 4 + 1.5, grid: max(x.grid, 1) + 2)
    }
  }

  private mutating func withResidual(_ y: Flow, _ form: Residual) -> Flow {
    guard form != .none else { return y }
    return attempt(y) { builder in
      guard let shortcut = builder.shortcut(form) else { return nil }
      guard shortcut.channels == y.channels, shortcut.extents == y.extents else { return nil }
      return form == .shortcutFirst ? builder.sum(shortcut, y) : builder.sum(y, shortcut)
    }
  }

  private mutating func shortcut(_ form: Residual) -> Flow? {
    var x = flow
    switch form {
    case .doubled:
      x.id = concat([x.id, x.id])
      x.channels *= 2
    case .tiled:
      x.id = node(.tile(Tile()), x.id, integers([1, 2] + x.extents.map { _ in 1 }))
      x.channels *= 2
    case .halved:
      guard x.channels % 2 == 0 else { return nil }
      let halves = split(x.id, parts: 2)
      x.channels /= 2
      x = made(binary(.add, halves[0], halves[1]), from: x, bound: 2 * x.bound, grid: x.grid)
    default: break
    }
    return x
  }

  private mutating func activated(_ x: Flow, _ form: Activation) -> Flow {
    guard form != .none else { return x }
    return attempt(x) { $0.applied(form, to: x) }
  }

  private mutating func applied(_ form: Activation, to x: Flow) -> Flow? {
    let slopes: [Float] = [-0.5, 0, 0.25, 1]
    switch form {
    case .none: return nil
    case .relu:
      return made(unary(.relu, x.id), from: x, bound: x.bound, grid: x.grid, restsAtZero: true)
    case .prelu: return prelu(x, list(numbers.nextIndex(2) == 0 ? 1 : x.channels, of: slopes))
    case .leakyRelu:
      return made(
        unary(.leakyRelu(alpha: 0.25), x.id), from: x, bound: x.bound, grid: x.grid + 2)
    case .rprelu:
      let inner = shifted(x, by: list(x.channels, of: [-1, 0, 0.5]))
      return shifted(
        prelu(inner, list(x.channels, of: slopes)), by: list(x.channels, of: [-0.5, 0, 1]))
    case .twoSlopesByWhere, .twoSlopesByRelu, .twoSlopesByClip: return twoSlopes(x, form)
    case .hardTanh: return clipped(x, -1, 1)
    case .channelGate:
      var pool = x
      pool.extents = x.extents.map { _ in 1 }
      pool = globalPool(x)
      let inner = realConvolution(pool, outputs: pick([1, 2, 4]))
      let hidden = made(unary(.relu, inner.id), from: inner, bound: inner.bound, grid: inner.grid)
      return gated(x, by: realConvolution(hidden, outputs: x.channels))
    case .positionGate: return gated(x, by: realConvolution(x, outputs: pick([1, x.channels])))
    }
  }

  private mutating func prelu(_ x: Flow, _ slopes: [Float]) -> Flow {
    let shape = Shape([slopes.count] + x.extents.map { _ in 1 })
    return made(
      node(.pRelu(PRelu()), x.id, constant(slopes, shape)), from: x, bound: x.bound,
      grid: x.grid + slopes.grid, restsAtZero: true)
  }

  private mutating func twoSlopes(_ x: Flow, _ form: Activation) -> Flow {
    let rank = x.extents.count
    let positive = perChannel(list(x.channels, of: [0.5, 1, 2, -1]), rank: rank)
    let negative = perChannel(list(x.channels, of: [0.25, -0.5, 1, 2]), rank: rank)
    let id: ValueID
    switch form {
    case .twoSlopesByRelu:
      let up = binary(.multiply, positive, unary(.relu, x.id))
      let down = binary(.multiply, negative, unary(.relu, unary(.negate, x.id)))
      id = binary(.subtract, up, down)
    case .twoSlopesByClip:
      let up = binary(.multiply, node(.clip(Clip()), x.id, scalar(0), nil), positive)
      let down = binary(.multiply, node(.clip(Clip()), x.id, nil, scalar(0)), negative)
      id = binary(.add, up, down)
    default:
      id = choose(
        compare(.greater, x.id, scalar(0)), binary(.multiply, x.id, positive),
        binary(.multiply, x.id, negative))
    }
    return made(id, from: x, bound: 2 * x.bound, grid: x.grid + 2, restsAtZero: true)
  }

  private mutating func gated(_ x: Flow, by gate: Flow) -> Flow {
    let unit = made(
      unary(.hardSigmoid(alpha: 0.25, beta: 0.5), gate.id), from: gate, bound: 1,
      grid: gate.grid + 2, restsAtZero: true)
    return product(x, unit)
  }

  // MARK: Pools

  /// A mean where the number of positions is a power of two, else the maximum.
  mutating func globalPool(_ x: Flow) -> Flow {
    let isDyadic = x.positions & (x.positions - 1) == 0
    let window = WindowGeometry(kernel: x.extents.map { _ in 1 })
    let kind: Pool.Kind = isDyadic ? .average(countPadding: false) : .maximum
    var y = x
    y.extents = x.extents.map { _ in 1 }
    return made(
      node(.pool(Pool(kind: kind, window: window, isGlobal: true)), x.id), from: y, bound: x.bound,
      grid: x.grid + (isDyadic ? x.positions.trailingZeroBitCount : 0))
  }

  mutating func pooled(_ x: Flow, _ form: Pooling) -> Flow {
    let rank = x.extents.count
    func all(_ number: Int) -> [Int] { .init(repeating: number, count: rank) }
    var window = WindowGeometry(kernel: all(2), strides: all(2))
    if form == .overlapping {
      window = WindowGeometry(kernel: all(3), strides: all(2), padsBegin: all(1), padsEnd: all(1))
    }
    let isAverage = form == .average
    let ceiling = form == .ceiling
    guard let extents = window.outputExtents(of: x.extents, ceiling: ceiling) else { return x }
    let pool = Pool(
      kind: isAverage ? .average(countPadding: true) : .maximum, window: window, ceiling: ceiling)
    return attempt(x) { builder in
      var y = x
      y.extents = extents
      y = builder.made(
        builder.node(.pool(pool), x.id), from: y, bound: x.bound,
        grid: x.grid + (isAverage ? rank : 0))
      y.isSign = x.isSign && !isAverage
      return y
    }
  }
}
