import BNNGraph
import BNNTensor

/// Recognizes activation signs, however they are spelled, and writes them as `Binarize`.
///
/// A *root* is a `Sign(x)` or a comparison of x with a constant. Whatever is computed from one
/// root and constants alone takes only as many values as the root: evaluating it at the root's
/// states tells what it is, so no spelling is listed here (`Where`, `Cast·2−1`, `Sign(Sign(x)+c)`,
/// a replaced zero …).
///
/// Before: `y = f(root(x))`, f(root) is ±1 in the two states.
/// After: `Binarize(x)` with the thresholds of the comparison.
///
/// If f(root) takes two other values, {0, 1} for example, `Binarize(x)·m + c` is written. A plain
/// `Sign` is 0 at 0, which no bit holds: ``SignOfZero`` decides. A `Sign` of something that is never
/// negative (``ValueBounds``) is 0 or 1, of something that is never positive −1 or 0.
///
/// The arithmetic of straight-through estimators, `(s − e) + e` with a sign s and the same tensor
/// e, is s.
public struct CanonicalizeSigns: Pass {
  public let name = "canonicalize-signs"
  public let summary = "Recognizes activation signs and writes them as thresholds."
  public var signOfZero: SignOfZero

  public init(signOfZero: SignOfZero = .plus) { self.signOfZero = signOfZero }

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    // A sign of a sign's arithmetic becomes visible when the inner one is gone. Numbers other than
    // ±m come last: many are masks in arithmetic that an estimator's rewrite removes.
    while true {
      let hasNewSigns = try rewriteSteps(areCentred: true, in: &graph, &outcome)
      let hasNewEstimators = rewriteEstimators(in: &graph, &outcome)
      // What was replaced is not recognized once more.
      try graph.removeDeadNodes()
      let hasNewCones = try rewriteCones(in: &graph, &outcome)
      if !hasNewSigns && !hasNewEstimators && !hasNewCones {
        guard try rewriteSteps(areCentred: false, in: &graph, &outcome) else { return outcome }
      }
      try graph.removeDeadNodes()
      try graph.inferTypes()
    }
  }

  // MARK: Steps

  private func rewriteSteps(
    areCentred: Bool, in graph: inout Graph, _ outcome: inout PassOutcome
  ) throws(GraphError) -> Bool {
    let uses = graph.uses()
    let valueBounds = ValueBounds(graph, uses)
    var done = false
    // A sign inside another sign's region is part of its spelling.
    var explained: Set<Int> = []
    for index in graph.nodes.indices where !explained.contains(index) {
      guard let root = try SignRoot(at: index, of: graph, valueBounds) else { continue }
      let region = root.region(in: graph, uses)
      // All are evaluated before one is replaced.
      var steps: [(result: ValueID, step: SignRoot.Step)] = []
      for result in region.results {
        if let step = try root.step(result, of: region, in: graph),
          (step.offset == 0) == areCentred
        {
          steps.append((result, step))
        }
      }
      var bits: ValueID?
      for (result, step) in steps {
        let node = graph.nodes[uses.producer(of: result) ?? index]
        let spelling = region.spelling(of: result, in: graph, uses)
        let atZero = replace(result, step, root, node, sharing: &bits, in: &graph)
        outcome.rewrote(node, "recognized \(spelling) as a sign")
        outcome.findings.append(
          .sign(SignFinding(node: node.name, spelling: spelling, atZero: atZero)))
        explained.formUnion(region.nodes)
        done = true
      }
    }
    return done
  }

  /// - Parameter bits: what masks of one comparison share: m and 1 − m are multiples of one sign.
  private func replace(
    _ result: ValueID, _ step: SignRoot.Step, _ root: SignRoot, _ node: Node,
    sharing bits: inout ValueID?, in graph: inout Graph
  ) -> SignFinding.AtZero {
    var step = step
    let atZero = form(of: step, root).atZero
    var magnitude = step.magnitude
    if step.offset != 0, case .comparison = root.kind, !step.isRising {
      magnitude = -magnitude
      step.isRising = true
    }
    let form = form(of: step, root)
    var output = bits ?? signs(form, of: root.operand, name: node.name, in: &graph)
    if step.offset != 0, case .comparison = root.kind { bits = output }
    magnitude /= Float(form.tests.count)
    if magnitude != 1 {
      output = graph.combine(output, .multiply, magnitude, name: node.name + ".scale")
    }
    if step.offset != 0 {
      output = graph.combine(output, .add, step.offset, name: node.name + ".offset")
    }
    graph.replaceUses(of: result, with: output)
    return atZero
  }

  /// The sign that a form means, or the sum of its two.
  private func signs(
    _ form: Form, of operand: ValueID, name: String, in graph: inout Graph
  ) -> ValueID {
    var sum: ValueID?
    for (position, thresholds) in form.tests.enumerated() {
      let name = form.tests.count == 1 ? name : "\(name).\(position)"
      var output = graph.add(
        .binarize(Binarize(thresholds: thresholds, zeroIsChosen: form.zeroIsChosen)), name: name,
        inputs: [operand])
      graph[output].type = graph[operand].type
      if let other = sum {
        output = graph.add(
          .elementwiseBinary(ElementwiseBinary(kind: .add)), name: name + ".sum",
          inputs: [other, output])
        graph[output].type = graph[operand].type
      }
      sum = output
    }
    return sum ?? operand
  }

  // MARK: Several comparisons

  /// Recognizes ±m computed from several comparisons of one value (`Where(x > 0, 1,
  /// Where(x < 0, −1, 1))`).
  private func rewriteCones(
    in graph: inout Graph, _ outcome: inout PassOutcome
  ) throws(GraphError) -> Bool {
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      switch node.op {
      case .select, .elementwiseBinary: break
      default: continue
      }
      guard let (cone, step, levels) = try severalComparisons(node, in: graph, uses) else {
        continue
      }
      let isPlus = { (number: Float) in number == levels[1] }
      guard let thresholds = step.thresholds(where: isPlus) else { continue }
      var output = graph.add(
        .binarize(Binarize(thresholds: thresholds)), name: node.name, inputs: [cone.source])
      graph[output].type = graph[cone.source].type
      if levels[1] != 1 {
        output = graph.combine(output, .multiply, levels[1], name: node.name + ".scale")
      }
      graph.replaceUses(of: node.outputs[0], with: output)
      let spelling = cone.nodes.map { graph.nodes[$0].op.definition.name }
        .joined(separator: " → ")
      outcome.rewrote(node, "recognized \(spelling) as a sign")
      outcome.findings.append(
        .sign(
          SignFinding(
            node: node.name, spelling: spelling,
            atZero: thresholds.isPlus(0, channel: 0) ? .plus : .minus)))
      return true
    }
    return false
  }

  /// The shallowest cone of a node that is ±m in every channel; its levels ascend.
  private func severalComparisons(
    _ node: Node, in graph: Graph, _ uses: Uses
  ) throws(GraphError) -> (ElementwiseCone, StepFunction, [Float])? {
    for cone in ElementwiseCone.all(endingIn: node.outputs[0], of: graph, uses, sharing: true) {
      // What reads nothing but recognized signs is rewritten already.
      let isNew = cone.nodes.contains { index in
        guard graph.nodes[index].inputs.contains(cone.source) else { return false }
        if case .binarize = graph.nodes[index].op { return false }
        return true
      }
      guard isNew, let step = try StepFunction(cone, in: graph) else { continue }
      let levels = Set(step.values.flatMap { $0 }).sorted()
      guard levels.count == 2, levels[0] == -levels[1], levels[1].isFinite,
        (step.values.first?.indices ?? 0..<0).allSatisfy({ c in
          Set(step.values.map { $0[c] }).count == 2
        })
      else { return nil }
      return (cone, step, levels)
    }
    return nil
  }

  private struct Form {
    /// One, or two whose signs are added.
    var tests: [Thresholds<Float>]
    var zeroIsChosen = false
    var atZero: SignFinding.AtZero

    init(_ thresholds: Thresholds<Float>, zeroIsChosen: Bool = false) {
      tests = [thresholds]
      self.zeroIsChosen = zeroIsChosen
      let isPlus = thresholds.isPlus(0, channel: 0)
      atZero =
        zeroIsChosen ? (isPlus ? .chosenPlus : .chosenMinus) : (isPlus ? .plus : .minus)
    }

    /// Signs that differ at 0, where their sum is 0.
    init(sumOf tests: [Thresholds<Float>]) {
      self.tests = tests
      atZero = .zero
    }
  }

  private func form(of step: SignRoot.Step, _ root: SignRoot) -> Form {
    func turned(_ rising: Thresholds<Float>) -> Thresholds<Float> {
      step.isRising ? rising : rising.falling
    }
    switch root.kind {
    case .sign(let restsAtZero):
      let atZero = step.atZero ?? 0
      if atZero == 0, restsAtZero {
        return Form(sumOf: [turned(.zeroIsPlus), turned(.zeroIsMinus)])
      }
      // The choice is made for the plain sign; a negated one follows it.
      let isPlus = atZero == 0 ? (signOfZero == .plus) == step.isRising : atZero > 0
      // The side of zero goes with the higher or the lower half-line.
      let zeroIsAbove = isPlus == step.isRising
      return Form(turned(zeroIsAbove ? .zeroIsPlus : .zeroIsMinus), zeroIsChosen: atZero == 0)
    case .positive: return Form(turned(.zeroIsMinus))
    case .negative: return Form(turned(.zeroIsPlus))
    case .comparison(var test):
      if !step.isRising { test.insideIsPlus = test.insideIsPlus.map { !$0 } }
      return Form(test)
    }
  }

  // MARK: Straight-through estimators

  private func rewriteEstimators(
    in graph: inout Graph, _ outcome: inout PassOutcome
  ) -> Bool {
    let uses = graph.uses()
    var done = false
    for node in graph.nodes {
      guard case .elementwiseBinary(let sum) = node.op, sum.kind == .add else { continue }
      for (side, other) in [(0, 1), (1, 0)] {
        guard let difference = node.input(side), let estimate = node.input(other),
          let index = uses.producer(of: difference),
          case .elementwiseBinary(let inner) = graph.nodes[index].op, inner.kind == .subtract,
          graph.nodes[index].input(1) == estimate, let sign = graph.nodes[index].input(0),
          graph.isScaledSign(sign, uses),
          graph.dimensions(sign) == graph.dimensions(node.outputs[0])
        else { continue }
        graph.replaceUses(of: node.outputs[0], with: sign)
        outcome.rewrote(node, "removed the arithmetic of a straight-through estimator")
        done = true
        break
      }
    }
    return done
  }
}

extension Graph {
  /// Whether a value is a recognized sign or a sum of them, perhaps times a constant and plus a constant.
  fileprivate func isScaledSign(_ value: ValueID, _ uses: Uses) -> Bool {
    if isSign(value, uses) { return true }
    guard let index = uses.producer(of: value),
      case .elementwiseBinary(let binary) = nodes[index].op,
      binary.kind == .multiply || binary.kind == .add,
      let inner = nodes[index].input(0), let other = nodes[index].input(1)
    else { return false }
    return isScaledSign(inner, uses) && (constant(other) != nil || isSign(other, uses))
  }

  /// Adds a node that combines a value with a number.
  mutating func combine(
    _ value: ValueID, _ kind: ElementwiseBinary.Kind, _ number: Float, name: String
  ) -> ValueID {
    let constant = addConstant(Tensor(scalar: number), name: name)
    let result = add(
      .elementwiseBinary(ElementwiseBinary(kind: kind)), name: name, inputs: [value, constant])
    self[result].type = self[value].type
    return result
  }
}

extension Thresholds<Float> {
  /// The rules with every bit turned over, NaN apart, which stays −1.
  fileprivate var falling: Thresholds {
    var result = self
    for c in 0..<count where lower[c] > -.infinity {
      // plus on [lower, ∞) becomes plus on (−∞, lower): an interval that excludes NaN.
      result.lower[c] = -.infinity
      result.upper[c] = lower[c].nextDown
    }
    return result
  }
}
