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
/// operand lies on the threshold up to the tolerance; everything else is a mistake of a pass.
struct SourceComparison {
  private let source: Graph
  private let lowered: LoweredModel
  private let tolerance: Double
  private let signs: [Sign]
  private var outputs = OutputComparison()
  private(set) var flips = 0
  /// How often a plain Sign met a zero or NaN.
  private(set) var zeros = 0
  /// Outputs differ and no flip explains it.
  private(set) var isMismatch = false
  /// Whether no run had signs that may have flipped without being found.
  private(set) var isExplained = true

  private struct Sign {
    var binarize: Binarize
    var input: ValueID
    var output: ValueID
  }

  init(_ source: Graph, _ lowered: LoweredModel, tolerance: Double) {
    self.source = source
    self.lowered = lowered
    self.tolerance = tolerance
    signs = source.nodes.compactMap { node in
      guard case .binarize(let binarize) = node.op, let input = node.input(0) else { return nil }
      return Sign(binarize: binarize, input: input, output: node.outputs[0])
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
    let kept = Set(signs.flatMap { [$0.input, $0.output] })
    let values = try attempt { () throws(GraphError) in
      try ReferenceExecutor(source).run(inputs, keeping: kept)
    }
    for sign in signs where sign.binarize.zeroIsChosen {
      zeros += (values[sign.input]?.floats ?? []).count { $0 == 0 || $0.isNaN }
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
    for sign in signs {
      guard let input = values[sign.input], let output = values[sign.output] else { continue }
      let bits = output.floats.map { $0 > 0 }
      let near = nearBounds(sign, input)
      canHaveFlips = canHaveFlips || near.contains(true)
      let found = candidates.filter { $0.count == bits.count }
        .map { candidate in bits.indices.filter { bits[$0] != candidate[$0] } }
        .min { $0.count < $1.count }
      // Further away, the same bits are not there: a pass changed their order or place.
      guard let flipped = found, flipped.count <= max(4, bits.count / 50) else { continue }
      if !flipped.isEmpty, !hasFlips, !flipped.allSatisfy({ near[$0] }) { isMismatch = true }
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

  private func nearBounds(_ sign: Sign, _ input: Tensor) -> [Bool] {
    let numbers = input.floats
    let limit = Float(tolerance) * input.largest
    let inner = input.shape.dimensions.dropFirst(input.shape.rank >= 2 ? 2 : 1).reduce(1, *)
    let channels = input.shape.rank >= 2 ? input.shape[1] : input.shape.dimensions.first ?? 1
    return numbers.indices.map { index in
      sign.binarize.thresholds.isNear(
        numbers[index], channel: index / max(1, inner) % max(1, channels), within: limit)
    }
  }
}
