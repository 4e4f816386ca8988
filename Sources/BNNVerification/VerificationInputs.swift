import BNNGraph
import BNNTensor

/// Inputs to compare with: given ones, cut into parts that run at once, or seeded ones.
package struct VerificationInputs {
  /// The inputs by name, one entry per run.
  package private(set) var runs: [[String: Tensor]] = []
  /// For each run, which part of the whole batch it is: entries and the number of all.
  var parts: [(range: Range<Int>, total: Int)] = []

  // MARK: Given inputs

  /// Cuts the batch where all inputs have it as their first dimension.
  package init(_ tensors: [String: Tensor], for graph: Graph, atMost limit: Int) {
    let batches = graph.inputs.map { id -> (isOpen: Bool, size: Int, found: Int)? in
      guard let dimensions = graph[id].type?.dimensions, let tensor = tensors[graph[id].name],
        tensor.shape.rank == dimensions.count, let first = dimensions.first,
        !dimensions.dropFirst().contains(where: \.isBatch)
      else { return nil }
      return (first.isBatch, first.extent(batch: 1), tensor.shape[0])
    }
    let known = batches.compactMap { $0 }
    guard known.count == batches.count, let first = known.first, first.size > 0,
      known.allSatisfy({ $0 == first }), first.found > 0, first.found % first.size == 0,
      !(first.isOpen && first.size != 1)
    else {
      (runs, parts) = ([tensors], [(0..<1, 1)])
      return
    }
    let length = first.isOpen ? max(1, limit) : first.size
    for start in stride(from: 0, to: first.found, by: length) {
      let range = start..<min(start + length, first.found)
      runs.append(tensors.mapValues { $0.rows(range) })
      parts.append((range, first.found))
    }
  }

  // MARK: Seeded inputs

  /// At least `samples` entries, an open batch as 1. Float inputs are in turn uniform in [0, 1), in
  /// [−1, 1), integers 0…255, and normal.
  ///
  /// - Parameter extents: of the axes that inputs list positions of, by name of the input; nil for
  ///   those that the graph tells.
  package init(
    seed: UInt64, for graph: Graph, extents: [String: Int]? = nil, samples: Int = 8
  ) throws(VerificationError) {
    var random = SplitMix64(state: seed)
    let extents = extents ?? graph.indexExtents
    var index = 0
    while index < samples {
      var run: [String: Tensor] = [:]
      var batch = 1
      for id in graph.inputs {
        guard let type = graph[id].type else {
          throw .unsupportedInput(name: graph[id].name)
        }
        let shape = type.dimensions.shape(batch: 1)
        guard let count = shape.checkedCount else {
          throw .unsupportedInput(name: graph[id].name)
        }
        if case .fixed(let extent)? = type.dimensions.first, shape.rank >= 2 { batch = extent }
        run[graph[id].name] = try VerificationInputs.tensor(
          type.elementType, count: count, shape: shape, kind: runs.count % 4, &random,
          name: graph[id].name, extent: extents[graph[id].name])
      }
      runs.append(run)
      index += max(1, batch)
    }
    parts = runs.indices.map { ($0..<$0 + 1, runs.count) }
  }

  private static func tensor(
    _ type: ElementType, count: Int, shape: Shape, kind: Int, _ random: inout SplitMix64,
    name: String, extent: Int?
  ) throws(VerificationError) -> Tensor {
    switch type {
    case .float32, .float16, .bfloat16:
      // Multiples of 1/256: every kind but the normal one is exact in 16 bits too.
      let bits = type == .float32 ? 24 : 8
      let elements = (0..<count).map { _ in random.float(kind, bits: bits) }
      let exact = type == .float32 ? elements : elements.map { ($0 * 64).rounded() / 64 }
      return Tensor(exact, shape: shape, elementType: type)
    case .float64:
      return Tensor((0..<count).map { _ in Double(random.float(kind, bits: 24)) }, shape: shape)
    case .bool:
      return Tensor((0..<count).map { _ in random.next() & 1 == 1 }, shape: shape)
    case .sign:
      throw .unsupportedInput(name: name)
    default:
      var range = type.integerRange ?? 0...1
      if type.bitWidth >= 32 { range = 0...255 }
      if let extent, extent > 0 { range = 0...min(range.upperBound, Int64(extent) - 1) }
      return Tensor(
        (0..<count).map { _ in random.integer(in: range) }, shape: shape, elementType: type)
    }
  }
}

extension SplitMix64 {
  mutating func integer(in range: ClosedRange<Int64>) -> Int64 {
    let width = UInt64(range.upperBound - range.lowerBound) + 1
    return range.lowerBound + Int64(next() % width)
  }

  /// Uniform in [0, 1), a multiple of 2^−bits.
  private mutating func unit(_ bits: Int) -> Float {
    Float(next() >> UInt64(64 - bits)) / Float(1 << bits)
  }

  mutating func float(_ kind: Int, bits: Int) -> Float {
    switch kind {
    case 0: unit(bits)
    case 1: 2 * unit(bits) - 1
    case 2: Float(next() >> 56)
    default: normal(bits)
    }
  }

  /// The sum of twelve uniform numbers: normal in all but its tails, and exact everywhere.
  private mutating func normal(_ bits: Int) -> Float {
    var sum: Float = -6
    for _ in 0..<12 { sum += unit(min(bits, 20)) }
    return sum
  }
}
