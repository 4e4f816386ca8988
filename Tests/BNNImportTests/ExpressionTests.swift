import Testing

@testable import BNNImport

@Suite struct ExpressionTests {
  private let environment = ExpressionEnvironment(
    variables: [
      "width": .number(0.5), "list": .array([.number(1), .number(2)]), "name": .string("conv"),
      "flag": .bool(true),
    ], shape: { $0 == "w" ? [4, 3] : nil })

  private func value(_ text: String) throws -> JSONValue {
    try JSONValue.string(text).evaluated(in: environment, at: JSONPlace(JSONText([])))
  }

  @Test(arguments: [
    ("${1 + 2 * 3}", JSONValue.number(7)), ("${(1 + 2) * 3}", .number(9)),
    ("${8 / 4 / 2}", .number(1)), ("${7 % 4 - -1}", .number(4)), ("${64 * width}", .number(32)),
    ("${floor(2.5)}", .number(2)), ("${round(2.6)}", .number(3)), ("${min(1, 2)}", .number(1)),
    ("${max(1, 2)}", .number(2)), ("${list[1]}", .number(2)), ("${at(list, 0)}", .number(1)),
    ("${at(5, 3)}", .number(5)), ("${count(list)}", .number(2)),
    ("${range(3)}", .array([.number(0), .number(1), .number(2)])),
    ("${[1, 'a'][1]}", .string("a")), ("${extent('w', 1)}", .number(3)),
    ("${has('w') && !has('v')}", .bool(true)), ("${1 < 2 || missing}", .bool(true)),
    ("${flag ? 'yes' : missing}", .string("yes")), ("${1 <= 0 ? 1 : 2 > 1 ? 3 : 4}", .number(3)),
    ("${name == 'conv'}", .bool(true)), ("${name != 'conv'}", .bool(false)),
    ("layer${1 + 1}.${name}", .string("layer2.conv")), ("no expression", .string("no expression")),
    ("${'}'}", .string("}")), ("$ {x}", .string("$ {x}")), ("${1}", .number(1)),
    ("${1}${2}", .string("12")), ("${null}", .null),
  ])
  func `Values`(text: String, expected: JSONValue) throws {
    #expect(try value(text) == expected)
  }

  @Test(arguments: [
    "${}", "${1 +}", "${1", "${missing}", "${unknown(1)}", "${floor()}", "${floor('a')}",
    "${list[2]}", "${list[0.5]}", "${name[0]}", "${1 / 0}", "${!1}", "${1 && true}", "${-'a'}",
    "${extent('v', 0)}", "${'a}", "${1.2.3}", "${range(-1)}", "${range(100000000)}", "a${0.5}",
    "a${list}", "${1 ? 2 : 3}", "${@}",
    "${" + String(repeating: "(", count: 100_000) + "}",
    "${" + String(repeating: "!", count: 100_000) + "true}",
    "${" + String(repeating: "[", count: 100_000) + "}",
    "${list" + String(repeating: "[0]", count: 100_000) + "}",
  ])
  func `Expressions without a value`(text: String) throws {
    let fault = try #require(throws: ImportFault.self) { try value(text) }
    guard case .invalidExpression(text, _) = fault.reason else { throw fault }
  }

  @Test func `Long sums`() throws {
    let sum = { "${" + [String](repeating: "1", count: $0).joined(separator: "+") + "}" }
    #expect(try value(sum(140)) == .number(140))
    #expect(throws: ImportFault.self) { try value(sum(100_000)) }
  }
}
