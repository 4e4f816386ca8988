import BNNExport
import BNNFormat
import BNNGraph
import BNNTensor

/// Compares the source with the canonical graph, both by the reference executor.
///
/// Passes reassociate float arithmetic, so that a number next to a threshold may end on its other
/// side. Such flips explain outputs that differ. They are looked for only when outputs do differ:
/// each sign of the source is compared with the canonical graph's bits of the same shape. The first
/// sign that flipped, which nothing before it can have caused, must have flipped only where its
/// operand lies on the threshold up to the tolerance; everything else is a mistake of a pass. Other
/// steps of the source, roundings and comparisons, have no bits to look for: one whose operand lies
/// on a jump up to the tolerance may explain all that comes behind it.
struct SourceComparison {
  private let source: Graph
  private let lowered: LoweredModel
  private let tolerance: Double
  private let steps: [Step]
  private var outputs = OutputComparison()
  private(set) var flips = 0
  /// How often a plain Sign met a zero or NaN.
  private(set) var zeros = 0
  /// Outputs differ and no flip explains it.
  private(set) var isMismatch = false
  /// Whether no run had signs that may have flipped without being found.
  private(set) var isExplained = true

  /// A node whose result jumps, in the order of the graph.
  private struct Step {
    var node: Node
    /// The real-valued operand.
    var input: ValueID

    var binarize: Binarize? { if case .binarize(let binarize) = node.op { binarize } else { nil } }
  }

  init(_ source: Graph, _ lowered: LoweredModel, tolerance: Double) {
    self.source = source
    self.lowered = lowered
    self.tolerance = tolerance
    steps = source.nodes.compactMap { node in
      let isStep =
        switch node.op {
        case .binarize, .comparison: true
        case .elementwiseUnary(let unary):
          [.roundHalfToEven, .floor, .ceiling, .sign].contains(unary.function)
        default: false
        }
      guard isStep,
        let input = node.inputs.compactMap({ $0 }).first(where: {
          source[$0].constant == nil && source[$0].type?.elementType == .float32
        })
      else { return nil }
      return Step(node: node, input: input)
    }
  }

  var result: VerificationReport.Comparison {
    var result = outputs.result
    result.flips = flips
    return result
  }

  /// - Parameters:
  ///   - canonical: the values of the canonical graph.
  ///   - outputIDs: the canonical graph's outputs.
  /// - Returns: the source's outputs.
  mutating func compare(
    _ inputs: [String: Tensor], canonical: [ValueID: Tensor], outputs outputIDs: [ValueID]
  ) throws(VerificationError) -> [ValueID: Tensor] {
    let kept = Set(steps.flatMap { [$0.input, $0.node.outputs[0]] })
    let values = try attempt { () throws(GraphError) in
      try ReferenceExecutor(source).run(inputs, keeping: kept)
    }
    for step in steps where step.binarize?.zeroIsChosen ?? false {
      zeros += (values[step.input]?.floats ?? []).count { $0 == 0 || $0.isNaN }
    }
    var here = OutputComparison()
    for (a, b) in zip(source.outputs, outputIDs) {
      guard let x = values[a], let y = canonical[b] else { continue }
      here.compare(x, y)
      outputs.compare(x, y)
    }
    if here.maximumError > tolerance { explain(values, canonical) }
    return values
  }

  private mutating func explain(_ values: [ValueID: Tensor], _ canonical: [ValueID: Tensor]) {
    let candidates = canonicalBits(canonical)
    var hasFlips = false
    var canHaveFlips = false
    var isExcused = false
    for step in steps {
      guard let input = values[step.input], let output = values[step.node.outputs[0]] else {
        continue
      }
      let near = nearJumps(step, input)
      canHaveFlips = canHaveFlips || near.contains(true)
      guard step.binarize != nil else {
        isExcused = isExcused || near.contains(true)
        continue
      }
      let bits = output.floats.map { $0 > 0 }
      let found = candidates.filter { $0.count == bits.count }
        .map { candidate in bits.indices.filter { bits[$0] != candidate[$0] } }
        .min { $0.count < $1.count }
      // Further away, the same bits are not there: a pass changed their order or place.
      guard let flipped = found, flipped.count <= max(4, bits.count / 50) else { continue }
      if !flipped.isEmpty, !hasFlips, !isExcused, !flipped.allSatisfy({ near[$0] }) {
        isMismatch = true
      }
      hasFlips = hasFlips || !flipped.isEmpty
      flips += flipped.count
    }
    if !hasFlips {
      if canHaveFlips { isExplained = false } else { isMismatch = true }
    }
  }

  /// The ±1 values of the canonical graph in its own layout, each once.
  private func canonicalBits(_ canonical: [ValueID: Tensor]) -> [[Bool]] {
    var seen: Set<ValueID> = []
    var result: [[Bool]] = []
    for (value, source) in zip(lowered.model.values, lowered.values)
    where value.elementType == .sign && seen.insert(source.value).inserted {
      if let tensor = canonical[source.value] { result.append(tensor.floats.map { $0 > 0 }) }
    }
    return result
  }

  /// For each element of a step's operand, whether it lies on a jump up to the tolerance.
  private func nearJumps(_ step: Step, _ input: Tensor) -> [Bool] {
    let numbers = input.floats
    let limit = Float(tolerance) * input.largest
    switch step.node.op {
    case .binarize(let binarize):
      let inner = input.shape.dimensions.dropFirst(input.shape.rank >= 2 ? 2 : 1).reduce(1, *)
      let channels = input.shape.rank >= 2 ? input.shape[1] : input.shape.dimensions.first ?? 1
      return numbers.indices.map { index in
        binarize.thresholds.isNear(
          numbers[index], channel: index / max(1, inner) % max(1, channels), within: limit)
      }
    case .elementwiseUnary(let unary):
      // Where the function jumps: at 0, at halves, or at integers.
      return numbers.map { x in
        switch unary.function {
        case .sign: abs(x) <= limit
        case .roundHalfToEven: abs(x - (x.rounded(.down) + 0.5)) <= limit
        default: abs(x - x.rounded()) <= limit
        }
      }
    default:
      let constants = step.node.inputs.compactMap { $0.flatMap { source[$0].constant } }
      guard let bound = constants.first, bound.count == 1 else { return numbers.map { _ in true } }
      return numbers.map { abs($0 - bound.floats[0]) <= limit }
    }
  }
}
