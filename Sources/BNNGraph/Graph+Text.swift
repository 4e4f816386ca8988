import BNNTensor

extension ValueType: CustomStringConvertible {
  /// For example `float32[N,64,8,8]`.
  public var description: String {
    "\(elementType)[" + dimensions.map(\.description).joined(separator: ",") + "]"
  }
}

extension Graph: CustomStringConvertible {
  /// The graph as text: inputs, constants in use, one line per node, outputs. The same graph
  /// always gives the same text.
  public var description: String {
    let names = uniqueNames()
    func typed(_ id: ValueID) -> String {
      "\(names[id.index]): \(self[id].type?.description ?? "?")"
    }
    var lines = ["graph \"\(name)\" (\(inputs.map(typed).joined(separator: ", ")))"]
    let used = Set(nodes.flatMap { $0.inputs.compactMap { $0 } } + outputs)
    for id in used.sorted() {
      guard let constant = self[id].constant else { continue }
      lines.append("  \(typed(id)) = \(AttributeText.elements(of: constant))")
    }
    for node in nodes {
      let operands = node.inputs.map { $0.map { names[$0.index] } ?? "_" }
      let attributes = AttributeText.attributes(of: node.op.definition)
      lines.append(
        "  \(node.outputs.map(typed).joined(separator: ", ")) = \(node.op.definition.name)"
          + "(\(operands.joined(separator: ", ")))"
          + (attributes.isEmpty ? "" : " {\(attributes.joined(separator: ", "))}")
          + " \"\(node.name)\"")
    }
    lines.append("  return \(outputs.map { names[$0.index] }.joined(separator: ", "))")
    return lines.joined(separator: "\n") + "\n"
  }

  /// `%name`; with the value's number where a name is empty or not the only one.
  private func uniqueNames() -> [String] {
    var counts: [String: Int] = [:]
    for value in values { counts[value.name, default: 0] += 1 }
    return values.enumerated().map { index, value in
      value.name.isEmpty || counts[value.name] != 1
        ? "%\(value.name)#\(index)" : "%\(value.name)"
    }
  }
}

/// The stored properties of an operator as text, found by reflection so that no attribute can be
/// left out.
private enum AttributeText {
  /// Longer lists are cut, so that a line stays readable.
  private static let listLimit = 8

  static func attributes(of op: any Operator) -> [String] {
    Mirror(reflecting: op).children.flatMap { attribute($0.label ?? "", $0.value) }
  }

  static func elements(of tensor: Tensor) -> String {
    switch tensor.storage {
    case .float(let elements): list(elements)
    case .double(let elements): list(elements)
    case .integer(let elements): list(elements)
    case .bool(let elements): list(elements)
    case .sign(let packed): list((0..<packed.count).map { packed[$0] ? "+" : "-" })
    }
  }

  private static func list<C: Collection>(_ elements: C) -> String {
    let shown = elements.prefix(listLimit).map { text(of: $0) }.joined(separator: ",")
    return elements.count > listLimit ? "[\(shown),… \(elements.count)]" : "[\(shown)]"
  }

  /// `label=value`; what is inside a structure stands beside it, since its labels say enough.
  private static func attribute(_ label: String, _ value: Any) -> [String] {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      return mirror.children.flatMap { attribute(label, $0.value) }
    case .struct where !(value is Tensor) && !(value is any CustomStringConvertible):
      return mirror.children.flatMap { attribute($0.label ?? label, $0.value) }
    case .enum where mirror.children.isEmpty:
      // The operator's name says it already.
      return label == "kind" || label == "function" ? [] : ["\(label)=\(value)"]
    case .enum:
      return mirror.children.flatMap { payload in
        (label == "kind" || label == "function" ? [] : ["\(label)=\(payload.label ?? "")"])
          + attribute(payload.label ?? "", payload.value)
      }
    case .tuple:
      return mirror.children.flatMap { attribute($0.label ?? label, $0.value) }
    default:
      return ["\(label)=\(text(of: value))"]
    }
  }

  private static func text(of value: Any) -> String {
    if let tensor = value as? Tensor { return elements(of: tensor) }
    if let elements = value as? [Any] { return list(elements) }
    let mirror = Mirror(reflecting: value)
    guard mirror.displayStyle == .enum, let payload = mirror.children.first else {
      return "\(value)"
    }
    let name = payload.label ?? ""
    if Mirror(reflecting: payload.value).displayStyle == .enum {
      return "\(name)(\(text(of: payload.value)))"
    }
    return "\(name)(\(attribute(name, payload.value).joined(separator: ", ")))"
  }
}
