import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let constants: [String: OnnxOperator] = [
    "Constant": OnnxOperator(0...0, build: constant),
    "ConstantOfShape": OnnxOperator(1...1, build: constantOfShape),
    "Range": OnnxOperator(3...3) { (node) throws(ImportFault) in
      try node.emit(.range(NumberRange()), node.inputs)
    },
    "Identity": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try node.emitAlias(of: try node.input(0))
    },
    "Cast": OnnxOperator(1...1, build: cast),
    "CastLike": OnnxOperator(2...2, build: castLike),
    "EyeLike": OnnxOperator(1...1, build: eyeLike),
  ]

  private static func constant(_ node: NodeBuilder) throws(ImportFault) {
    let attributes = node.source.attributes.filter { $0.name != "doc_string" }
    guard attributes.count == 1, let attribute = attributes.first else {
      throw node.fault(.missingAttribute, attribute: "value")
    }
    node.ignore(attribute.name)
    switch (attribute.name, attribute.value) {
    case ("value", .tensor(let tensor)), ("sparse_value", .tensor(let tensor)):
      try node.emitConstant(tensor)
    case ("value_float", .float(let value)): try node.emitConstant(Tensor(scalar: value))
    case ("value_floats", .floats(let values)):
      try node.emitConstant(Tensor(values, shape: [values.count]))
    case ("value_floats", .integers([])): try node.emitConstant(Tensor([Float](), shape: [0]))
    case ("value_int", .integer(let value)): try node.emitConstant(Tensor([value], shape: []))
    case ("value_ints", .integers(let values)):
      try node.emitConstant(Tensor(values, shape: [values.count]))
    case ("value_string", _), ("value_strings", _):
      throw node.fault(.unsupportedElementType("string"), attribute: attribute.name)
    case (_, let value):
      throw node.fault(
        .wrongAttributeType(found: value.kind, expected: "a value"), attribute: attribute.name)
    }
  }

  private static func constantOfShape(_ node: NodeBuilder) throws(ImportFault) {
    let value = try node.tensor("value") ?? Tensor([Float(0)], shape: [1])
    guard value.count == 1 else { throw node.invalid("value", "\(value.shape)", "one element") }
    try node.emit(
      .constantOfShape(ConstantOfShape(value: value)), node.inputs)
  }

  private static func cast(_ node: NodeBuilder) throws(ImportFault) {
    // What happens to numbers beyond the range of 8-bit floats, which are refused below.
    node.ignore("saturate")
    if node.operatorSet < 6 {
      // A type by its name, such as FLOAT.
      let spelling = try node.required("to", try node.string("to"))
      guard let type = OnnxElementType.type(named: spelling) else {
        throw node.fault(.unsupportedElementType(spelling.lowercased()), attribute: "to")
      }
      return try node.emit(.cast(Cast(to: type)), node.inputs)
    }
    let type = try node.elementTypeAttribute("to")
    try node.emit(.cast(Cast(to: node.required("to", type))), node.inputs)
  }

  private static func castLike(_ node: NodeBuilder) throws(ImportFault) {
    node.ignore("saturate")
    let type = node.elementType(1) ?? .float32
    try node.emit(.cast(Cast(to: type)), [try node.input(0)])
  }

  /// Ones on a diagonal of a matrix of the input's shape.
  private static func eyeLike(_ node: NodeBuilder) throws(ImportFault) {
    let type = try node.elementTypeAttribute("dtype") ?? node.elementType(0) ?? .float32
    let diagonal = try node.integer("k") ?? 0
    try node.requireRank(2...2, of: try node.input(0))
    let mask = try node.triangle(of: try node.input(0)) { row, column in
      column.subtractingReportingOverflow(row) == (diagonal, false)
    }
    let elements: [Tensor]
    do throws(OperatorError) {
      elements = try Cast(to: type).evaluate([mask])
    } catch {
      throw node.fault(.operation(error))
    }
    try node.emitConstant(elements[0])
  }
}

extension NodeBuilder {
  /// An attribute that names an element type by its number.
  func elementTypeAttribute(_ name: String) throws(ImportFault) -> ElementType? {
    guard let number = try integer(name) else { return nil }
    let code = Int32(truncatingIfNeeded: number)
    guard let type = OnnxElementType.type(code), Int(code) == number else {
      throw fault(.unsupportedElementType(OnnxElementType.name(code)), attribute: name)
    }
    return type
  }

  /// Which elements of the last two dimensions of a value lie where a test says.
  func triangle(
    of value: ValueID, _ contains: (_ row: Int, _ column: Int) -> Bool
  ) throws(ImportFault) -> Tensor {
    try requireRank(2...Int.max, of: value)
    let extents = try extents(value)
    let rows = try fixed(extents, extents.count - 2)
    let columns = try fixed(extents, extents.count - 1)
    guard let count = Shape([rows, columns]).checkedCount, count <= 1 << 26 else {
      throw fault(.tooLarge(elements: rows))
    }
    var mask: [Bool] = []
    mask.reserveCapacity(count)
    for row in 0..<rows {
      for column in 0..<columns { mask.append(contains(row, column)) }
    }
    return Tensor(mask, shape: [rows, columns])
  }
}
