import BNNGraph
import BNNTensor

/// A `Transpose` of a value: axis i of the result is axis `permutation[i]` of the source.
struct Transposition {
  var source: ValueID
  var permutation: [Int]

  init(source: ValueID, permutation: [Int]) {
    (self.source, self.permutation) = (source, permutation)
  }

  init?(of node: Node, in graph: Graph) {
    guard case .transpose(let transpose) = node.op, let source = node.input(0),
      let rank = graph[source].type?.rank
    else { return nil }
    self.source = source
    permutation =
      transpose.permutation.isEmpty ? Array((0..<rank).reversed()) : transpose.permutation
  }

  var isIdentity: Bool { permutation == Array(permutation.indices) }
  /// The channels, axis 1, become the last axis, or the last axis the channels. The batch stays. With
  /// three axes both are the same.
  var isToChannelsLast: Bool { isOfBatches && permutation.last == 1 }
  var isToChannelsFirst: Bool { isOfBatches && permutation[1] == permutation.count - 1 }
  private var isOfBatches: Bool { permutation.count > 2 && permutation[0] == 0 }

  func followed(by second: Transposition) -> Transposition {
    Transposition(source: source, permutation: second.permutation.map { permutation[$0] })
  }

  func applied(to type: ValueType) -> ValueType {
    ValueType(type.elementType, permutation.map { type.dimensions[$0] })
  }

  /// The type that the transposition turns into this one.
  func undone(_ type: ValueType) -> ValueType {
    ValueType(
      type.elementType, Transpose.inverse(of: permutation).map { type.dimensions[$0] })
  }
}

extension Transpose {
  static func inverse(of permutation: [Int]) -> [Int] {
    var inverse = permutation
    for (axis, source) in permutation.enumerated() { inverse[source] = axis }
    return inverse
  }
}

extension Node {
  /// Whether the node goes element by element, and does the same along every axis.
  var treatsAxesAlike: Bool {
    switch op {
    case .batchNormalization, .block: false
    case .binarize(let binarize): binarize.thresholds.count == 1
    default: isElementwise
    }
  }

  /// Whether the node takes axis 1 for the channels.
  var readsChannelsFirst: Bool {
    switch op {
    case .convolution, .transposedConvolution, .pool, .batchNormalization: true
    default: false
    }
  }

  /// Whether an operand has one entry per axis, or lists axes.
  func describesAxes(at position: Int) -> Bool {
    switch op {
    case .pad, .reduce, .slice, .split: position != 0
    default: false
    }
  }

  /// The operator that does the same before a transposition of its operands, and how its result is
  /// transposed then; nil where there is none.
  func moved(before permutation: [Int], in graph: Graph) -> (Op, [Int])? {
    switch op {
    case .concat(var concat):
      let axis = concat.axis < 0 ? concat.axis + permutation.count : concat.axis
      guard permutation.indices.contains(axis) else { return nil }
      concat.axis = permutation[axis]
      return (.concat(concat), permutation)
    case .split(var split):
      let axis = split.axis < 0 ? split.axis + permutation.count : split.axis
      guard permutation.indices.contains(axis) else { return nil }
      split.axis = permutation[axis]
      return (.split(split), permutation)
    case .slice:
      return listedAxes(at: 3, rank: permutation.count, in: graph) == nil ? nil : (op, permutation)
    case .pad:
      guard let pads = graph.constant(input(1))?.integers, input(3) == nil,
        pads.count == 2 * permutation.count
      else { return nil }
      return (op, permutation)
    case .reduce(let reduce):
      guard let axes = listedAxes(at: 1, rank: permutation.count, in: graph) else { return nil }
      let sources = axes.sorted().map { permutation[$0] }
      // Sums are added in the order of the axes.
      guard sources == sources.sorted() else { return nil }
      if reduce.keepDimensions { return (op, permutation) }
      let kept = permutation.indices.filter { !axes.contains($0) }.map { permutation[$0] }
      let order = kept.sorted()
      return (op, kept.compactMap { order.firstIndex(of: $0) })
    default: return treatsAxesAlike ? (op, permutation) : nil
    }
  }

  /// The axes that an operand lists, where they are known and at least one.
  private func listedAxes(at position: Int, rank: Int, in graph: Graph) -> [Int]? {
    guard let listed = graph.constant(input(position))?.integers, !listed.isEmpty else {
      return nil
    }
    let axes = listed.map { Int($0) < 0 ? Int($0) + rank : Int($0) }
    return axes.allSatisfy((0..<rank).contains) && Set(axes).count == axes.count ? axes : nil
  }

  /// What stands for a parameter before a transposition.
  func movedParameter(
    _ position: Int, before permutation: [Int], in graph: inout Graph
  ) -> ValueID? {
    let rank = permutation.count
    var result: [Int64]
    switch op {
    case .reduce where position == 1, .slice where position == 3:
      let axes = listedAxes(at: position, rank: rank, in: graph) ?? []
      result = axes.map { Int64(permutation[$0]) }
    case .pad where position == 1:
      let pads = graph.constant(input(position))?.integers ?? []
      result = pads
      for (axis, source) in permutation.enumerated() {
        result[source] = pads[axis]
        result[source + rank] = pads[axis + rank]
      }
    default: return input(position)
    }
    let name = input(position).map { graph[$0].name } ?? ""
    return graph.addConstant(Tensor(result, shape: [result.count]), name: name)
  }
}

extension Graph {
  /// Whether a value has its channels along axis 1 because of what made it.
  func isMadeChannelsFirst(_ value: ValueID) -> Bool {
    var seen: Set<ValueID> = []
    var open = [value]
    while let next = open.popLast() {
      guard seen.insert(next).inserted, let node = producer(of: next) else { continue }
      if node.readsChannelsFirst { return true }
      switch node.op {
      case .concat, .pad: break
      default: guard node.treatsAxesAlike else { continue }
      }
      open += node.inputs.compactMap { $0 }
    }
    return false
  }

  /// What a transposition turns into a value that has one extent above 1 beside the batch, as gates
  /// of channels have: a reshape. nil for other values.
  mutating func reshaped(
    _ value: ValueID, undoing transposition: Transposition
  ) -> ValueID? {
    guard let type = self[value].type, type.rank == transposition.permutation.count,
      type.dimensions.dropFirst().count(where: { $0 != .fixed(1) }) <= 1,
      transposition.permutation[0] == 0
    else { return nil }
    let wanted = transposition.undone(type)
    guard wanted != type else { return value }
    var source = value
    if let node = producer(of: value), case .reshape = node.op, let original = node.input(0) {
      source = original
    }
    if self[source].type == wanted { return source }
    guard let target = self[source].type?.reshapeTarget(wanted) else { return nil }
    let result = addReshape(source, to: target, name: self[value].name + ".transposed")
    self[result].type = wanted
    return result
  }

  /// A constant operand of an elementwise node, transposed like its other operands. What is the same
  /// along all axes stays.
  mutating func transposed(_ value: ValueID, like permutation: [Int]) -> ValueID {
    guard let tensor = constant(value), tensor.count != 1 else { return value }
    let missing = permutation.count - tensor.shape.rank
    let extents = [Int](repeating: 1, count: missing) + tensor.shape.dimensions
    let full = tensor.reshaped(to: Shape(extents))
    let result = try? Transpose(permutation: permutation).evaluate([full])
    return result.map { addConstant($0[0], name: self[value].name) } ?? value
  }
}
