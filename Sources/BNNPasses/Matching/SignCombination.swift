import BNNGraph
import BNNTensor

/// A value written as a number plus multiples of signs: offset + Σ scale · signs.
struct SignCombination {
  struct Term {
    var signs: ValueID
    var scale: Float
  }

  /// At least one, at most ``limit``.
  var terms: [Term]
  var offset: Float

  /// More products with signs than this are no gain over one with real values.
  static let limit = 4

  /// The signs, one per term, that make the value a number; nil when none do.
  func signs(summingTo number: Float) -> [Float]? {
    let span = terms.reduce(0) { $0 + abs($1.scale) }
    for pattern in 0..<(1 << terms.count) {
      let signs = terms.indices.map { pattern >> $0 & 1 == 1 ? Float(1) : -1 }
      let sum = zip(terms, signs).reduce(offset) { $0 + $1.0.scale * $1.1 }
      if abs(sum - number) <= 1e-6 * span { return signs }
    }
    return nil
  }
}

/// Finds values that are combinations of signs and adds the nodes that make the signs.
///
/// What only moves elements (reshape, concatenation, padding …) is repeated for the signs.
struct SignFactoring {
  let uses: Uses
  /// The signs of quantizers that were found on the way.
  private(set) var findings: [Finding] = []
  private var known: [ValueID: SignCombination?] = [:]

  init(_ uses: Uses) { self.uses = uses }

  /// The combination that a value of the graph is; nil when it is none.
  mutating func combination(
    of value: ValueID, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    if let found = known[value] { return found }
    var found: SignCombination?
    if graph.isSign(value, uses) {
      found = SignCombination(terms: [.init(signs: value, scale: 1)], offset: 0)
    } else if let index = uses.producer(of: value), case .split = graph.nodes[index].op {
      found = try part(value, of: graph.nodes[index], in: &graph)
    } else if let index = uses.producer(of: value), graph.nodes[index].outputs.count == 1 {
      let node = graph.nodes[index]
      found = try derived(node, in: &graph)
      if found == nil, node.isElementwise { found = try quantized(value, node, in: &graph) }
    }
    known[value] = .some(found)
    return found
  }

  private mutating func derived(
    _ node: Node, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    switch node.op {
    case .elementwiseBinary(let binary): return try arithmetic(binary.kind, node, in: &graph)
    case .elementwiseUnary(let unary) where unary.function == .negate:
      return try combination(of: node, in: &graph)?.times(-1)
    case .identity: return try combination(of: node, in: &graph)
    case .pool(let pool) where pool.kind == .maximum: return try pooled(pool, node, in: &graph)
    case .pad(let pad) where pad.mode == .constant: return try padded(node, in: &graph)
    case .concat: return try joined(node, in: &graph)
    case _ where node.movedInputs.count == 1:
      return try combination(of: node, in: &graph)?.mapped { signs in
        moved(node, [signs] + node.inputs.dropFirst(), in: &graph)
      }
    default: return nil
    }
  }

  /// That of a node's first operand.
  private mutating func combination(
    of node: Node, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    guard let x = node.input(0), graph.constant(x) == nil else { return nil }
    return try combination(of: x, in: &graph)
  }

  private mutating func arithmetic(
    _ kind: ElementwiseBinary.Kind, _ node: Node, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    guard let a = node.input(0), let b = node.input(1) else { return nil }
    if let number = graph.scalar(b), number.isFinite {
      guard graph.dimensions(a) == graph.dimensions(node.outputs[0]),
        let inner = try combination(of: a, in: &graph)
      else { return nil }
      switch kind {
      case .add: return inner.plus(number)
      case .subtract: return inner.plus(-number)
      case .multiply: return inner.times(number)
      case .divide: return number == 0 ? nil : inner.times(1 / number)
      default: return nil
      }
    }
    if let number = graph.scalar(a), number.isFinite {
      guard graph.dimensions(b) == graph.dimensions(node.outputs[0]),
        let inner = try combination(of: b, in: &graph)
      else { return nil }
      switch kind {
      case .add: return inner.plus(number)
      case .subtract: return inner.times(-1)?.plus(number)
      case .multiply: return inner.times(number)
      default: return nil
      }
    }
    guard kind == .add || kind == .subtract, graph.dimensions(a) == graph.dimensions(b),
      let first = try combination(of: a, in: &graph),
      let second = try combination(of: b, in: &graph)?.times(kind == .add ? 1 : -1),
      first.terms.count + second.terms.count <= SignCombination.limit
    else { return nil }
    return SignCombination(
      terms: first.terms + second.terms, offset: first.offset + second.offset)
  }

  private mutating func padded(
    _ node: Node, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    let value = node.input(2).map { graph.scalar($0) } ?? 0
    guard let value, let inner = try combination(of: node, in: &graph) else { return nil }
    let fills =
      value == 0 && inner.offset == 0
      ? inner.terms.map { _ in Float(0) } : inner.signs(summingTo: value)
    guard var remaining = fills?[...] else { return nil }
    return inner.mapped { signs in
      let fill = graph.addConstant(
        Tensor(scalar: remaining.removeFirst()), name: node.name + ".fill")
      return moved(node, [signs, node.input(1), fill] + node.inputs.dropFirst(3), in: &graph)
    }
  }

  /// The maximum of one scaled sign; with a negative scale it is where the sign is smallest.
  private mutating func pooled(
    _ pool: Pool, _ node: Node, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    guard let inner = try combination(of: node, in: &graph), inner.terms.count == 1 else {
      return nil
    }
    if inner.terms[0].scale > 0 { return inner.mapped { moved(node, [$0], in: &graph) } }
    guard !pool.isGlobal else { return nil }
    var minimum = node
    minimum.op = .binaryPool(
      BinaryPool(window: pool.window, ceiling: pool.ceiling, inverted: [true]))
    return inner.mapped { moved(minimum, [$0], in: &graph) }
  }

  /// One result of a `Split`.
  private mutating func part(
    _ value: ValueID, of split: Node, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    guard let position = split.outputs.firstIndex(of: value),
      let inner = try combination(of: split, in: &graph)
    else { return nil }
    return inner.mapped { signs in
      var copy = split
      copy.inputs[0] = signs
      copy.outputs = split.outputs.map {
        graph.addValue(Value(name: graph[$0].name, type: graph[$0].type))
      }
      graph.nodes.append(copy)
      return copy.outputs[position]
    }
  }

  /// A concatenation of combinations that differ in their signs only.
  private mutating func joined(
    _ node: Node, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    var parts: [SignCombination] = []
    for input in node.inputs {
      guard let input, let part = try combination(of: input, in: &graph) else { return nil }
      parts.append(part)
    }
    guard var result = parts.first,
      parts.allSatisfy({
        $0.offset == result.offset && $0.terms.map(\.scale) == result.terms.map(\.scale)
      })
    else { return nil }
    for index in result.terms.indices {
      result.terms[index].signs = moved(
        node, parts.map { $0.terms[index].signs }, in: &graph)
    }
    return result
  }

  /// The node again, for other operands.
  private func moved(_ node: Node, _ inputs: [ValueID?], in graph: inout Graph) -> ValueID {
    let result = graph.add(node.op, name: node.name, inputs: inputs)
    graph[result].type = graph[node.outputs[0]].type
    return result
  }

  private mutating func quantized(
    _ value: ValueID, _ node: Node, in graph: inout Graph
  ) throws(GraphError) -> SignCombination? {
    guard let quantizer = try Quantizer(endingIn: value, of: graph, uses) else { return nil }
    let names = quantizer.cone.nodes.map { graph.nodes[$0].op.definition.name }
    if quantizer.levels.count == 2 {
      let isPlus = quantizer.thresholds(ofLevel: 1).isPlus(0, channel: 0)
      findings.append(
        .sign(
          SignFinding(
            node: node.name, spelling: names.joined(separator: " → "),
            atZero: isPlus ? .plus : .minus)))
    }
    return quantizer.combination(name: node.name, in: &graph)
  }
}

extension SignCombination {
  fileprivate func plus(_ number: Float) -> SignCombination? {
    let sum = offset + number
    guard sum.isFinite else { return nil }
    // What is left of a difference of rounded numbers is no offset.
    let span = terms.reduce(0) { $0 + abs($1.scale) }
    return SignCombination(terms: terms, offset: abs(sum) <= 1e-6 * span ? 0 : sum)
  }

  fileprivate func times(_ number: Float) -> SignCombination? {
    let scaled = terms.map { Term(signs: $0.signs, scale: $0.scale * number) }
    guard scaled.allSatisfy({ $0.scale != 0 && $0.scale.isFinite }),
      (offset * number).isFinite
    else { return nil }
    return SignCombination(terms: scaled, offset: offset * number)
  }

  /// The same combination of other signs.
  fileprivate func mapped(_ transform: (ValueID) -> ValueID) -> SignCombination {
    SignCombination(
      terms: terms.map { Term(signs: transform($0.signs), scale: $0.scale) }, offset: offset)
  }
}
