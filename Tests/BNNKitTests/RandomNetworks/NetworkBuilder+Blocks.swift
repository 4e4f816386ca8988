import BNNKit

/// How signs and products are put together.
extension NetworkBuilder {
  mutating func block(_ layer: LayerSpec, outputs: Int) -> Flow {
    let x = flow
    switch layer.block {
    case .single: return product(layer, activations(layer, of: x), outputs)
    case .selfConcatenated:
      var input = activations(layer, of: x)
      guard input.flow.channels <= 33 else { return product(layer, input, outputs) }
      input.flow.id = concat([input.flow.id, input.flow.id])
      input.flow.channels *= 2
      return product(layer, input, outputs)
    case .dense:
      let y = product(layer, activations(layer, of: x), outputs)
      guard y.extents == x.extents, x.channels + y.channels <= 70 else { return y }
      return joined([y, x])
    case .twoProducts:
      let input = activations(layer, of: x)
      return joined([product(layer, input, outputs), product(layer, input, outputs)])
    case .twoSigns:
      let first = product(layer, activations(layer, of: x), outputs)
      let other = attempt(x) { $0.shifted(x, by: [0.5]) }
      return joined([first, product(layer, activations(layer, of: other), outputs)])
    case .splitProducts, .splitSigns: return splitBlock(layer, outputs)
    case .shuffledBefore:
      var shuffled = activations(layer, of: x)
      if x.isSign || numbers.nextIndex(2) == 0 {
        shuffled.flow = shuffle(shuffled.flow)
      } else {
        shuffled = activations(layer, of: shuffle(x))
      }
      return product(layer, shuffled, outputs)
    case .shuffledAfter: return shuffle(product(layer, activations(layer, of: x), outputs))
    case .activationMap:
      let y = product(layer, activations(layer, of: x), outputs)
      return attempt(y) { $0.scaledByMap(y, of: x) }
    case .gated: return gatedBlock(layer, outputs)
    case .realBranch:
      let y = product(layer, activations(layer, of: x), outputs)
      guard y.extents == x.extents else { return y }
      return attempt(y) { $0.sum(y, $0.realConvolution(x, outputs: y.channels)) }
    case .rowsOfProducts:
      return rowsOfProducts(activations(layer, of: x), outputs: outputs, layer.weights)
    }
  }

  private mutating func product(
    _ layer: LayerSpec, _ input: Activations, _ outputs: Int
  ) -> Flow {
    convolution(
      input, outputs: outputs, layer.geometry, layer.weights, bias: layer.bias == .inProduct)
  }

  private mutating func joined(_ parts: [Flow]) -> Flow {
    // Padding and geometry are drawn at random: parts may differ in size.
    let fitting = parts.filter { $0.extents == parts[0].extents }
    guard fitting.count > 1 else { return parts[0] }
    return attempt(parts[0]) { builder in
      var y = parts[0]
      y.channels = fitting.map(\.channels).reduce(0, +)
      return builder.made(
        builder.concat(fitting.map(\.id)), from: y, bound: fitting.map(\.bound).max() ?? 0,
        grid: fitting.map(\.grid).max() ?? 0,
        restsAtZero: fitting.contains(where: \.restsAtZero))
    }
  }

  private mutating func splitBlock(_ layer: LayerSpec, _ outputs: Int) -> Flow {
    let parts = [4, 2, 3, 5].first { flow.channels % $0 == 0 }
    guard let parts else { return product(layer, activations(layer, of: flow), outputs) }
    func branches(_ x: Flow, _ ids: [ValueID]) -> [Flow] {
      ids.map { id in
        var part = x
        (part.id, part.channels) = (id, x.channels / parts)
        return part
      }
    }
    let each = max(1, outputs / parts)
    if layer.block == .splitProducts || flow.isSign {
      let input = activations(layer, of: flow)
      let ids = split(input.flow.id, parts: parts)
      var results: [Flow] = []
      for part in branches(input.flow, ids) {
        var operand = input
        operand.flow = part
        results.append(product(layer, operand, each))
      }
      return joined(results)
    }
    var results: [Flow] = []
    for part in branches(flow, split(flow.id, parts: parts)) {
      results.append(product(layer, activations(layer, of: part), each))
    }
    return joined(results)
  }

  private mutating func shuffle(_ x: Flow) -> Flow {
    let divisors = (1...x.channels).filter { x.channels % $0 == 0 }
    let groups = pick(divisors)
    let rank = x.extents.count
    let wide = reshape(x.id, [0, groups, x.channels / groups] + x.extents)
    let moved = node(
      .transpose(Transpose(permutation: [0, 2, 1] + Array(3..<3 + rank))), wide)
    var y = x
    y.id = reshape(moved, [0, x.channels] + x.extents)
    return y
  }

  /// XNOR-Net's K: the mean magnitude of the input at each position.
  private mutating func scaledByMap(_ y: Flow, of x: Flow) -> Flow? {
    guard y.extents == x.extents else { return nil }
    let magnitudes = unary(.absolute, x.id)
    let sum = node(.reduce(Reduce(kind: .sum)), magnitudes, integers([1]))
    var map = x
    map.channels = 1
    map = made(
      binary(.multiply, sum, scalar(0.25)), from: map, bound: x.bound * Float(x.channels) / 4,
      grid: x.grid + 2)
    return product(y, map)
  }

  /// `(1 − m) · a + m · b` with a mask m of real values.
  private mutating func gatedBlock(_ layer: LayerSpec, _ outputs: Int) -> Flow {
    let input = activations(layer, of: flow)
    let a = product(layer, input, outputs)
    return attempt(a) { builder in
      let b = builder.product(layer, input, outputs)
      guard a.extents == b.extents, a.channels == b.channels else { return nil }
      let m = builder.cast(builder.compare(.greater, a.id, builder.scalar(0.5)))
      let rest = builder.binary(.subtract, builder.scalar(1), m)
      let id = builder.binary(
        .add, builder.binary(.multiply, rest, a.id), builder.binary(.multiply, m, b.id))
      return builder.made(id, from: a, bound: a.bound + b.bound, grid: max(a.grid, b.grid))
    }
  }
}
