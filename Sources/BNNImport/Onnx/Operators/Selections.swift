import BNNGraph
import BNNTensor

/// Operators that choose elements by position or order.
extension OnnxOperator {
  static let selections: [String: OnnxOperator] = [
    "TopK": OnnxOperator(1...2, build: topK),
    "CumSum": OnnxOperator(2...2) { (node) throws(ImportFault) in
      let sum = CumulativeSum(
        exclusive: try node.flag("exclusive"), reverse: try node.flag("reverse"))
      try node.emit(.cumulativeSum(sum), node.inputs)
    },
    "OneHot": OnnxOperator(3...3, build: oneHot),
    "Trilu": OnnxOperator(1...2, build: triangular),
  ]

  /// The count is an attribute before version 10 and an input since. The place of one element alone
  /// is that of an extremum.
  private static func topK(_ node: NodeBuilder) throws(ImportFault) {
    // Sorted is one of the orders that any order may be.
    node.ignore("sorted")
    let top = TopK(
      axis: try node.integer("axis") ?? -1, largest: try node.flag("largest", default: true))
    let x = try node.input(0)
    let count: ValueID
    if node.operatorSet >= 10 {
      count = try node.input(1)
    } else {
      try node.checkInputs(1...1)
      count = try node.constant([try node.required("k", try node.integer("k"))], "k")
    }
    if node.assembly.knownValue(count)?.integers == [1], !node.isOutputUsed(0) {
      let extremum = ArgumentExtremum(isMaximum: top.largest, axis: top.axis)
      return try node.emit(.argumentExtremum(extremum), [x], output: 1)
    }
    try node.emit(.topK(top), [x, count], outputs: 2)
  }

  /// A new axis along which the position that each index names is on, the others off; no position
  /// of an index out of range is on.
  private static func oneHot(_ node: NodeBuilder) throws(ImportFault) {
    let depth = try node.neededInteger(1)
    let given = try node.cast(try node.input(0), to: .int64, "indices")
    let rank = try node.extents(given).count
    let axis = try node.axis(try node.integer("axis") ?? -1, rank: rank + 1)
    let positions = try node.positions(count: depth, following: rank - axis, "positions")
    // Indices may count from the end.
    let isNegative = try node.comparison(
      .less, given, try node.scalar(0, like: given, "zero"), "isNegative")
    let fromEnd = try node.binary(
      .add, given, try node.scalar(Double(depth), like: given, "depth"), "fromEnd")
    let indices = try node.intermediate(
      .select(Where()), [isNegative, fromEnd, given], "normal")
    let lines = try node.intermediate(
      .unsqueeze(Unsqueeze()), [indices, try node.constant([axis], "axis")], "lines")
    let isOn = try node.comparison(.equal, lines, positions, "isOn")
    let values = try node.input(2)
    func value(_ index: Int, _ label: String) throws(ImportFault) -> ValueID {
      let position = try node.constant(Tensor([Int64(index)], shape: []), "\(label)/index")
      return try node.intermediate(.gather(Gather()), [values, position], label)
    }
    try node.emit(.select(Where()), [isOn, try value(1, "on"), try value(0, "off")])
  }

  /// Keeps what lies on one side of a diagonal.
  private static func triangular(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let keepsUpper = try node.flag("upper", default: true)
    let diagonal = node.optionalInput(1) == nil ? 0 : try node.neededInteger(1)
    let mask = try node.triangle(of: x) { row, column in
      // Neither overflows: extents are below 2^31.
      let distance = Double(column - row) - Double(diagonal)
      return keepsUpper ? distance >= 0 : distance <= 0
    }
    let zero = try node.scalar(0, like: x, "zero")
    try node.emit(.select(Where()), [try node.constant(mask, "mask"), x, zero])
  }
}
