import BNNGraph
import BNNTensor

/// Pieces that operators are put together from. Each adds a node on the way to the result.
extension NodeBuilder {
  func binary(
    _ kind: ElementwiseBinary.Kind, _ a: ValueID, _ b: ValueID, _ label: String
  ) throws(ImportFault) -> ValueID {
    try intermediate(.elementwiseBinary(ElementwiseBinary(kind: kind)), [a, b], label)
  }

  func unary(
    _ function: PointwiseFunction, _ x: ValueID, _ label: String
  ) throws(ImportFault) -> ValueID {
    try intermediate(.elementwiseUnary(ElementwiseUnary(function: function)), [x], label)
  }

  func comparison(
    _ kind: Comparison.Kind, _ a: ValueID, _ b: ValueID, _ label: String
  ) throws(ImportFault) -> ValueID {
    try intermediate(.comparison(Comparison(kind: kind)), [a, b], label)
  }

  /// A reduction that keeps the dimensions.
  func reduce(
    _ kind: Reduce.Kind, _ x: ValueID, axes: [Int], _ label: String
  ) throws(ImportFault) -> ValueID {
    let op = Op.reduce(Reduce(kind: kind, emptyAxesIsIdentity: true))
    return try intermediate(op, [x, try constant(axes, "\(label)/axes")], label)
  }

  /// The value with elements of a type: itself where it has them.
  func cast(_ x: ValueID, to type: ElementType, _ label: String) throws(ImportFault) -> ValueID {
    guard assembly.elementType(x) != type else { return x }
    return try intermediate(.cast(Cast(to: type)), [x], label)
  }

  /// A 0 keeps the extent at its place, −1 stands for what is left.
  func reshape(_ x: ValueID, _ extents: [Int], _ label: String) throws(ImportFault) -> ValueID {
    try intermediate(.reshape(Reshape()), [x, try constant(extents, "\(label)/shape")], label)
  }

  /// A value with dimensions of extent 1 added at its end.
  func appendingAxes(
    _ x: ValueID, count: Int, _ label: String
  ) throws(ImportFault) -> ValueID {
    guard count > 0 else { return x }
    let rank = try assembly.type(x).rank
    let axes = try constant(Array(rank..<rank + count), "\(label)/axes")
    return try intermediate(.unsqueeze(Unsqueeze()), [x, axes], label)
  }

  // MARK: Constants

  /// A constant that stands for an attribute.
  func constant(_ tensor: Tensor, _ label: String) throws(ImportFault) -> ValueID {
    try assembly.addConstant(tensor, name: "\(name)/\(label)")
  }

  func constant(_ integers: [Int], _ label: String) throws(ImportFault) -> ValueID {
    try constant(Tensor(integers.map { Int64($0) }, shape: [integers.count]), label)
  }

  /// An attribute of integers as a constant.
  func constantAttribute(_ name: String) throws(ImportFault) -> ValueID? {
    guard let numbers = try integers(name) else { return nil }
    return try constant(numbers, name)
  }

  /// A scalar of the element type that a value has.
  func scalar(
    _ number: Double, like value: ValueID, _ label: String
  ) throws(ImportFault) -> ValueID {
    try constant(
      Tensor(scalar: number, elementType: assembly.elementType(value) ?? .float32), label)
  }

  // MARK: Shapes

  /// An extent that must not depend on the batch.
  func fixed(_ extents: [Int?], _ axis: Int) throws(ImportFault) -> Int {
    guard let extent = extents[axis] else {
      throw fault(.unsupported("an open extent in axis \(axis) of \(source.opType)"))
    }
    return extent
  }

  /// The axis that a number means, which may count from the end.
  func axis(
    _ axis: Int, rank: Int, attribute: String = "axis"
  ) throws(ImportFault) -> Int {
    guard axis >= -rank, axis < rank else {
      throw invalid(attribute, "\(axis)", "an axis of \(rank) dimensions")
    }
    return axis < 0 ? axis + rank : axis
  }

  func requireRank(_ ranks: ClosedRange<Int>, of value: ValueID) throws(ImportFault) {
    let type = try assembly.type(value)
    guard ranks.contains(type.rank) else {
      throw fault(.invalidValue(found: "\(type)", expected: "another number of dimensions"))
    }
  }
}

extension Tensor {
  /// One number, rounded to an element type; integers saturate.
  init(scalar number: Double, elementType: ElementType) {
    switch elementType {
    case .float64: self.init([number], shape: [])
    case .float32, .float16, .bfloat16:
      self.init(
        [Float(number).rounded(to: elementType)], shape: [], elementType: elementType)
    case .bool, .sign: self.init([number != 0], shape: [])
    default:
      let integer = Int64(saturating: number).clamped(to: elementType)
      self.init([integer], shape: [], elementType: elementType)
    }
  }
}
