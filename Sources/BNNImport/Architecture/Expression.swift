/// What stands in `${…}` of an architecture description: numbers, strings, lists and truth values,
/// and the operators on them.
indirect enum Expression: Hashable {
  case literal(JSONValue)
  case variable(String)
  case list([Expression])
  case unary(UnaryOperator, Expression)
  case binary(BinaryOperator, Expression, Expression)
  /// `condition ? first : second`
  case conditional(Expression, Expression, Expression)
  /// `list[index]`
  case element(Expression, Expression)
  case call(String, [Expression])

  enum UnaryOperator: Hashable {
    case negate, not
  }

  enum BinaryOperator: String, Hashable {
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
    case add = "+"
    case subtract = "-"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="
    case and = "&&"
    case or = "||"
  }
}

/// What expressions can refer to.
struct ExpressionEnvironment {
  var variables: [String: JSONValue]
  /// The shape of an array of the checkpoint.
  var shape: (String) -> [Int]?
}

/// Why an expression has no value.
enum ExpressionFailure: Error {
  case syntax(String)
  case undefined(String)
  case unknownFunction(String)
  case wrongOperands(String)
  case wrongArgumentCount(function: String, expected: Int)
  case noElement(index: Double, count: Int)
  case noArray(String)
  case notFinite
}

extension JSONValue {
  /// The value with every `${…}` in its strings evaluated. A string that is nothing but one
  /// expression becomes the expression's value, whatever its kind.
  func evaluated(
    in environment: ExpressionEnvironment, at place: JSONPlace
  ) throws(ImportFault) -> JSONValue {
    switch self {
    case .string(let text):
      do throws(ExpressionFailure) {
        return try JSONValue.evaluate(text, environment)
      } catch {
        throw place.fault(.invalidExpression(text, cause: error.description))
      }
    case .array(let elements):
      var result: [JSONValue] = []
      for (index, element) in elements.enumerated() {
        result.append(try element.evaluated(in: environment, at: place.element(index)))
      }
      return .array(result)
    case .object(let members):
      var result: [String: JSONValue] = [:]
      for (key, value) in members {
        result[key] = try value.evaluated(in: environment, at: place.member(key))
      }
      return .object(result)
    case .number, .bool, .null: return self
    }
  }

  private static let longestExpression = 300

  private static func evaluate(
    _ text: String, _ environment: ExpressionEnvironment
  ) throws(ExpressionFailure) -> JSONValue {
    var rest = Array(text.utf8)[...]
    var result: [UInt8] = []
    while let start = rest.indices.first(where: { rest[$0...].starts(with: "${".utf8) }) {
      result += rest[..<start]
      // Evaluation goes as deep as an expression is long.
      guard rest.endIndex - start <= longestExpression else {
        throw .syntax("it is longer than \(longestExpression) characters")
      }
      var parser = ExpressionParser(rest[(start + 2)...])
      let value = try parser.expression().value(in: environment)
      try parser.expect("}")
      rest = parser.rest
      if result.isEmpty && rest.isEmpty { return value }
      switch value {
      case .string(let text): result += text.utf8
      case .number where value.integer != nil: result += value.text.utf8
      default: throw .wrongOperands("text can hold a string or an integer, not \(value.text)")
      }
    }
    return .string(String(decoding: result + rest, as: UTF8.self))
  }
}
