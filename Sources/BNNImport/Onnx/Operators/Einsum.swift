import BNNGraph
import BNNTensor

/// Sums of products over named axes (ONNX `Einsum`), put together from moves, matrix products and
/// reductions, two operands at a time.
extension OnnxOperator {
  static let einsum: [String: OnnxOperator] = [
    "Einsum": OnnxOperator(1...64, build: einsum)
  ]

  private static func einsum(_ node: NodeBuilder) throws(ImportFault) {
    let equation = try node.required("equation", try node.string("equation"))
    var ranks: [Int] = []
    for index in node.source.inputs.indices {
      ranks.append(try node.extents(try node.input(index)).count)
    }
    guard let sum = EinsumEquation(equation, ranks: ranks) else {
      throw node.invalid(
        "equation", equation, "a list of axes for each input, in letters, and for the output")
    }
    try EinsumBuilder(node, sum).build()
  }
}

/// Which axes the operands and the result have. An axis has the number of its letter; those that an
/// ellipsis stands for have negative ones, counted from the last, so that they broadcast.
struct EinsumEquation {
  private(set) var operands: [[Int]] = []
  private(set) var output: [Int] = []

  /// - Returns: nil where the text is no equation for operands of these ranks.
  init?(_ text: String, ranks: [Int]) {
    let sides = text.filter { $0 != " " }.split(separator: ">", omittingEmptySubsequences: false)
    guard sides.count == 1 || (sides.count == 2 && sides[0].hasSuffix("-")) else { return nil }
    let left = sides.count == 1 ? sides[0] : sides[0].dropLast()
    let terms = left.split(separator: ",", omittingEmptySubsequences: false)
    guard terms.count == ranks.count else { return nil }
    for (term, rank) in zip(terms, ranks) {
      guard let axes = EinsumEquation.axes(term, rank: rank), axes.count == rank else { return nil }
      operands.append(axes)
    }
    let all = operands.flatMap(\.self)
    let broadcast = Set(all.filter { $0 < 0 }).sorted()
    if sides.count == 2 {
      let letters = sides[1].count { $0 != "." }
      guard
        let axes = EinsumEquation.axes(sides[1], rank: letters + broadcast.count),
        Set(axes).count == axes.count, Set(axes).isSubset(of: all)
      else { return nil }
      output = axes
    } else {
      // Letters that stand once, in the order of the alphabet.
      output =
        broadcast
        + Set(all).filter { axis in axis >= 0 && all.count { $0 == axis } == 1 }
        .sorted()
    }
  }

  private static func axes(_ term: Substring, rank: Int) -> [Int]? {
    var axes: [Int] = []
    var rest = term
    var hasEllipsis = false
    while let first = rest.first {
      if rest.hasPrefix("..."), !hasEllipsis {
        let count = rank - (term.count - 3)
        guard count >= 0 else { return nil }
        axes += (0..<count).map { $0 - count }
        rest = rest.dropFirst(3)
        hasEllipsis = true
      } else if first.isLetter, let code = first.asciiValue {
        axes.append(Int(code))
        rest = rest.dropFirst()
      } else {
        return nil
      }
    }
    return axes
  }
}

/// Adds the nodes of one equation.
private final class EinsumBuilder {
  private let node: NodeBuilder
  private let equation: EinsumEquation
  private var steps = 0

  /// A value and its axes, each of which it has once.
  private struct Operand {
    var value: ValueID
    var axes: [Int]
  }

  init(_ node: NodeBuilder, _ equation: EinsumEquation) {
    self.node = node
    self.equation = equation
  }

  func build() throws(ImportFault) {
    var result = try operand(0)
    for index in equation.operands.indices.dropFirst() {
      let later = Set(equation.operands[(index + 1)...].joined()).union(equation.output)
      result = try combined(result, try operand(index), keeping: later)
    }
    result = try summed(result, over: result.axes.filter { !equation.output.contains($0) })
    let permutation = equation.output.compactMap { result.axes.firstIndex(of: $0) }
    try node.emit(.transpose(Transpose(permutation: permutation)), [result.value])
  }

  private func label(_ name: String) -> String {
    steps += 1
    return "\(name)\(steps)"
  }

  // MARK: Operands

  private func operand(_ index: Int) throws(ImportFault) -> Operand {
    var result = Operand(value: try node.input(index), axes: equation.operands[index])
    while let repeated = result.axes.first(where: { axis in result.axes.count { $0 == axis } > 1 })
    {
      result = try diagonal(of: result, repeated)
    }
    return result
  }

  /// The elements where two axes of the same name have the same index: every (n + 1)-th of n · n.
  private func diagonal(of operand: Operand, _ axis: Int) throws(ImportFault) -> Operand {
    let places = operand.axes.indices.filter { operand.axes[$0] == axis }.prefix(2)
    let others = operand.axes.indices.filter { !places.contains($0) }
    let extent = try node.fixed(try node.extents(operand.value), places[0])
    let moved = try node.intermediate(
      .transpose(Transpose(permutation: others + places)), [operand.value], label("moved"))
    let flat = try node.reshape(moved, others.map { _ in 0 } + [-1], label("flat"))
    let bounds: [ValueID?] = [
      flat, try node.constant([0], label("start")),
      try node.constant([extent * extent], label("end")),
      try node.constant([others.count], label("axis")),
      try node.constant([extent + 1], label("step")),
    ]
    return Operand(
      value: try node.intermediate(.slice(Slice()), bounds, label("diagonal")),
      axes: others.map { operand.axes[$0] } + [axis])
  }

  private func summed(_ operand: Operand, over axes: [Int]) throws(ImportFault) -> Operand {
    guard !axes.isEmpty else { return operand }
    let places = try node.constant(
      axes.compactMap { operand.axes.firstIndex(of: $0) }, label("axes"))
    return Operand(
      value: try node.intermediate(
        .reduce(Reduce(kind: .sum, keepDimensions: false)), [operand.value, places],
        label("sum")),
      axes: operand.axes.filter { !axes.contains($0) })
  }

  /// With axes in this order, of extent 1 where the operand has none.
  private func aligned(_ operand: Operand, to axes: [Int]) throws(ImportFault) -> ValueID {
    var value = operand.value
    let permutation = axes.compactMap { operand.axes.firstIndex(of: $0) }
    if permutation != Array(permutation.indices) {
      value = try node.intermediate(
        .transpose(Transpose(permutation: permutation)), [value], label("moved"))
    }
    let missing = axes.indices.filter { !operand.axes.contains(axes[$0]) }
    guard !missing.isEmpty else { return value }
    return try node.intermediate(
      .unsqueeze(Unsqueeze()), [value, try node.constant(missing, label("axes"))], label("wide"))
  }

  // MARK: Products

  /// The product of two operands, summed over the axes that nothing needs any more. One of those is
  /// summed by a matrix product.
  private func combined(
    _ a: Operand, _ b: Operand, keeping: Set<Int>
  ) throws(ImportFault) -> Operand {
    let a = try summed(a, over: a.axes.filter { !keeping.contains($0) && !b.axes.contains($0) })
    let b = try summed(b, over: b.axes.filter { !keeping.contains($0) && !a.axes.contains($0) })
    let contracted = a.axes.filter { b.axes.contains($0) && !keeping.contains($0) }
    // Axes of an ellipsis may have to be broadcast, which those of a matrix product are not.
    guard let summedAxis = contracted.last(where: { $0 >= 0 }) else {
      let axes = a.axes + b.axes.filter { !a.axes.contains($0) }
      let product = Operand(
        value: try node.binary(
          .multiply, try aligned(a, to: axes), try aligned(b, to: axes), label("product")),
        axes: axes)
      return try summed(product, over: contracted)
    }
    let row = a.axes.last { !b.axes.contains($0) }
    let column = b.axes.last { !a.axes.contains($0) }
    let batch = (a.axes + b.axes.filter { !a.axes.contains($0) })
      .filter { $0 != summedAxis && $0 != row && $0 != column }
    let product = try node.intermediate(
      .matMul(MatMul()),
      [
        try aligned(a, to: batch + [row ?? .max, summedAxis]),
        try aligned(b, to: batch + [summedAxis, column ?? .max]),
      ], label("product"))
    // What has no rows or columns has one of them.
    let empty = [row == nil ? batch.count : nil, column == nil ? batch.count + 1 : nil]
      .compactMap(\.self)
    var result = Operand(value: product, axes: batch + [row, column].compactMap(\.self))
    if !empty.isEmpty {
      result.value = try node.intermediate(
        .squeeze(Squeeze()), [product, try node.constant(empty, label("axes"))],
        label("narrow"))
    }
    return try summed(result, over: contracted.filter { $0 != summedAxis })
  }
}
