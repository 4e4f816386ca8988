extension Expression {
  /// The value, with numbers in double precision.
  func value(in environment: ExpressionEnvironment) throws(ExpressionFailure) -> JSONValue {
    switch self {
    case .literal(let value): return value
    case .variable(let name):
      guard let value = environment.variables[name] else { throw .undefined(name) }
      return value
    case .list(let elements):
      return .array(try elements.values(in: environment))
    case .unary(.negate, let operand):
      return .number(-(try operand.value(in: environment).asNumber()))
    case .unary(.not, let operand):
      return .bool(!(try operand.value(in: environment).asBool()))
    case .binary(let kind, let left, let right):
      return try Expression.combine(kind, left, right, environment)
    case .conditional(let condition, let first, let second):
      let chosen = try condition.value(in: environment).asBool() ? first : second
      return try chosen.value(in: environment)
    case .element(let list, let index):
      return try list.value(in: environment)
        .element(at: try index.value(in: environment).asNumber())
    case .call(let name, let arguments):
      return try Expression.call(name, try arguments.values(in: environment), environment)
    }
  }

  private static func combine(
    _ kind: BinaryOperator, _ left: Expression, _ right: Expression,
    _ environment: ExpressionEnvironment
  ) throws(ExpressionFailure) -> JSONValue {
    let first = try left.value(in: environment)
    switch kind {
    case .and where !(try first.asBool()): return .bool(false)
    case .or where try first.asBool(): return .bool(true)
    default: break
    }
    let second = try right.value(in: environment)
    switch kind {
    case .and, .or: return .bool(try second.asBool())
    case .equal: return .bool(first == second)
    case .notEqual: return .bool(first != second)
    default: break
    }
    let (x, y) = (try first.asNumber(), try second.asNumber())
    switch kind {
    case .less: return .bool(x < y)
    case .lessOrEqual: return .bool(x <= y)
    case .greater: return .bool(x > y)
    case .greaterOrEqual: return .bool(x >= y)
    case .multiply: return try finite(x * y)
    case .divide: return try finite(x / y)
    case .remainder: return try finite(x.truncatingRemainder(dividingBy: y))
    case .subtract: return try finite(x - y)
    default: return try finite(x + y)
    }
  }

  private static func finite(_ value: Double) throws(ExpressionFailure) -> JSONValue {
    guard value.isFinite else { throw .notFinite }
    return .number(value)
  }

  /// The functions: `docs/architectures.md` lists them.
  private static func call(
    _ name: String, _ arguments: [JSONValue], _ environment: ExpressionEnvironment
  ) throws(ExpressionFailure) -> JSONValue {
    func argument(_ index: Int, of count: Int) throws(ExpressionFailure) -> JSONValue {
      guard arguments.count == count else {
        throw .wrongArgumentCount(function: name, expected: count)
      }
      return arguments[index]
    }
    switch name {
    case "floor": return .number(try argument(0, of: 1).asNumber().rounded(.down))
    case "round": return .number(try argument(0, of: 1).asNumber().rounded())
    case "min": return .number(min(try argument(0, of: 2).asNumber(), try arguments[1].asNumber()))
    case "max": return .number(max(try argument(0, of: 2).asNumber(), try arguments[1].asNumber()))
    case "count": return .number(Double(try argument(0, of: 1).asList().count))
    case "range":
      let count = try argument(0, of: 1).asNumber()
      guard (0...10_000).contains(count) else { throw .wrongOperands("range(\(count))") }
      return .array((0..<Int(count)).map { .number(Double($0)) })
    case "at":
      // One value stands for all.
      let list = try argument(0, of: 2)
      guard case .array = list else { return list }
      return try list.element(at: try arguments[1].asNumber())
    case "has": return .bool(environment.shape(try argument(0, of: 1).asString()) != nil)
    case "extent":
      let array = try argument(0, of: 2).asString()
      guard let shape = environment.shape(array) else { throw .noArray(array) }
      return try JSONValue.array(shape.map { .number(Double($0)) })
        .element(at: try arguments[1].asNumber())
    default: throw .unknownFunction(name)
    }
  }
}

extension [Expression] {
  fileprivate func values(
    in environment: ExpressionEnvironment
  ) throws(ExpressionFailure) -> [JSONValue] {
    var values: [JSONValue] = []
    for element in self { values.append(try element.value(in: environment)) }
    return values
  }
}

extension JSONValue {
  fileprivate func asNumber() throws(ExpressionFailure) -> Double {
    guard case .number(let value) = self else { throw .wrongOperands("\(text) is not a number") }
    return value
  }

  fileprivate func asBool() throws(ExpressionFailure) -> Bool {
    guard case .bool(let value) = self else {
      throw .wrongOperands("\(text) is neither true nor false")
    }
    return value
  }

  fileprivate func asString() throws(ExpressionFailure) -> String {
    guard case .string(let value) = self else { throw .wrongOperands("\(text) is not a string") }
    return value
  }

  fileprivate func asList() throws(ExpressionFailure) -> [JSONValue] {
    guard case .array(let elements) = self else { throw .wrongOperands("\(text) is not a list") }
    return elements
  }

  fileprivate func element(at index: Double) throws(ExpressionFailure) -> JSONValue {
    let elements = try asList()
    guard let position = Int(exactly: index), elements.indices.contains(position) else {
      throw .noElement(index: index, count: elements.count)
    }
    return elements[position]
  }
}
