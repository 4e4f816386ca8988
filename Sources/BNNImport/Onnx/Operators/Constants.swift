import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let constants: [String: OnnxOperator] = [
    "Constant": OnnxOperator(0...0, build: constant),
    "ConstantOfShape": OnnxOperator(1...1, build: constantOfShape),
    "Range": OnnxOperator(3...3) { $0.emit(.range(NumberRange()), $0.inputs) },
    "Identity": OnnxOperator(1...1) { (node) throws(ImportFault) in
      node.emitAlias(of: try node.input(0))
    },
    "Cast": OnnxOperator(1...1, since: 6, build: cast),
    "CastLike": OnnxOperator(2...2, build: castLike),
  ]

  private static func constant(_ node: NodeBuilder) throws(ImportFault) {
    let attributes = node.source.attributes.filter { $0.name != "doc_string" }
    guard attributes.count == 1, let attribute = attributes.first else {
      throw node.fault(.missingAttribute, attribute: "value")
    }
    node.ignore(attribute.name)
    switch (attribute.name, attribute.value) {
    case ("value", .tensor(let tensor)), ("sparse_value", .tensor(let tensor)):
      node.emitConstant(tensor)
    case ("value_float", .float(let value)): node.emitConstant(Tensor(scalar: value))
    case ("value_floats", .floats(let values)):
      node.emitConstant(Tensor(values, shape: [values.count]))
    case ("value_floats", .integers([])): node.emitConstant(Tensor([Float](), shape: [0]))
    case ("value_int", .integer(let value)): node.emitConstant(Tensor([value], shape: []))
    case ("value_ints", .integers(let values)):
      node.emitConstant(Tensor(values, shape: [values.count]))
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
    node.emit(
      .constantOfShape(ConstantOfShape(value: value)), node.inputs, type: value.elementType)
  }

  private static func cast(_ node: NodeBuilder) throws(ImportFault) {
    // What happens to numbers beyond the range of 8-bit floats, which are refused below.
    node.ignore("saturate")
    let code = try node.required("to", try node.integer("to"))
    guard let type = OnnxElementType.type(Int32(truncatingIfNeeded: code)) else {
      let name = OnnxElementType.name(Int32(truncatingIfNeeded: code))
      throw node.fault(.unsupportedElementType(name), attribute: "to")
    }
    node.emit(.cast(Cast(to: type)), node.inputs, type: type)
  }

  private static func castLike(_ node: NodeBuilder) throws(ImportFault) {
    node.ignore("saturate")
    let type = node.elementType(1)
    node.emit(.cast(Cast(to: type ?? .float32)), [try node.input(0)], type: type)
    guard type == nil else { return }
    node.assembly.deferOp(until: [try node.input(1)]) { (types) throws(ImportFault) -> Op in
      guard let type = types.first?.elementType else {
        throw node.fault(.unsupported("a type that is not known"))
      }
      return .cast(Cast(to: type))
    }
  }
}
