import BNNGraph
import BNNTensor
import Testing

@testable import BNNImport

/// Branches and functions, whose nodes take the place of one.
@Suite struct InliningTests {
  private func graph(_ nodes: [Message], outputs: [String]) -> Message {
    Message().messages(1, nodes).string(2, "inner")
      .messages(12, outputs.map { Message().string(1, $0) })
  }

  private func branch(_ name: String, _ graph: Message) -> Message {
    Message().string(1, name).message(6, graph).integer(20, 5)
  }

  /// `If` on whether x has more than one row; each branch reads x from outside.
  private func conditional(rows: Int64, condition: String = "c") -> Message {
    let branches = [
      branch("then_branch", graph([Sample.node("Neg", ["x"], ["t"])], outputs: ["t"])),
      branch(
        "else_branch",
        graph([Sample.node("NoSuchOperator", ["x"], ["e"])], outputs: ["e"])),
    ]
    return Sample.model(
      nodes: [
        Sample.node("Size", ["x"], ["s"]), Sample.node("Greater", ["s", "one"], ["c"]),
        Sample.node("If", [condition], ["y"], name: "if", attributes: branches),
      ],
      inputs: [Sample.input("x", [rows]), Sample.input("unknown", [1], elementType: 9)],
      initializers: [Sample.tensor("one", [], type: 7, raw: littleEndian([Int64(1)]))])
  }

  @Test func `A condition on shapes chooses its branch at import`() throws {
    let model = try importModel(conditional(rows: 2))
    let result = try model.run([
      "x": Tensor([Float(1), -2], shape: [2]), "unknown": Tensor([true], shape: [1]),
    ])
    #expect(result?.floats == [-1, 2])
    #expect(model.graph.nodes.contains { $0.name == "if/t" })
  }

  @Test func `Only the branch that is chosen must be supported`() {
    let error = #expect(throws: ImportError.self) { try importModel(conditional(rows: 1)) }
    #expect(
      error?.reason
        == .unsupportedOperators([
          UnsupportedOperator(op: "NoSuchOperator", domain: "", nodes: ["e"])
        ]))
  }

  @Test func `A condition on data is refused, and may be given`() throws {
    let message = conditional(rows: 2, condition: "unknown")
    let error = #expect(throws: ImportError.self) { try importModel(message) }
    #expect(error?.needsInputValues == true)
    #expect(error?.category == .unsupported)
    let model = try importModel(
      message,
      options: ImportOptions(inputConstants: ["unknown": Tensor([true], shape: [1])]))
    #expect(try model.run(["x": Tensor([Float(1), 2], shape: [2])])?.floats == [-1, -2])
  }

  // MARK: Functions

  private func function(
    _ name: String, _ nodes: [Message], inputs: [String] = ["a"], outputs: [String] = ["b"]
  ) -> Message {
    Message().string(1, name).strings(4, inputs).strings(5, outputs).strings(6, ["slope"])
      .messages(7, nodes).string(10, "my.functions")
      .message(9, Message().string(1, "").integer(2, 17))
  }

  private func model(_ nodes: [Message], functions: [Message]) -> Message {
    Sample.model(nodes: nodes, inputs: [Sample.input("x", [2])]).messages(25, functions)
  }

  private func call(_ name: String, _ output: String = "y", slope: Float? = nil) -> Message {
    Sample.node(
      name, ["x"], [output], name: "call", domain: "my.functions",
      attributes: slope.map { [Sample.attribute("slope", float: $0)] } ?? [])
  }

  @Test func `A function's body takes the place of its call, with the caller's attributes`() throws
  {
    let reference = Message().string(1, "alpha").string(21, "slope").integer(20, 1)
    let leaky = function(
      "Leaky",
      [
        Sample.node("Neg", ["a"], ["n"]),
        Sample.node("LeakyRelu", ["n"], ["b"], attributes: [reference]),
      ])
    let x = ["x": Tensor([Float(2), -1], shape: [2])]
    let given = try importModel(model([call("Leaky", slope: 0.5)], functions: [leaky]))
    #expect(try given.run(x)?.floats == [-1, 1])
    // What the caller leaves out, the inner operator has its own value for.
    let other = try importModel(model([call("Leaky")], functions: [leaky]))
    #expect(try other.run(x)?.floats == [-0.02, 1])
  }

  @Test func `Unsupported operators in functions are listed`() {
    let broken = function("Broken", [Sample.node("NoSuchOperator", ["a"], ["b"])])
    let error = #expect(throws: ImportError.self) {
      try importModel(model([call("Broken")], functions: [broken]))
    }
    #expect(
      error?.reason
        == .unsupportedOperators([
          UnsupportedOperator(op: "NoSuchOperator", domain: "", nodes: ["b"])
        ]))
  }

  @Test func `A function that calls itself`() {
    let endless = function(
      "Endless", [Sample.node("Endless", ["a"], ["b"], domain: "my.functions")])
    let error = #expect(throws: ImportError.self) {
      try importModel(model([call("Endless")], functions: [endless]))
    }
    #expect(error?.reason == .nestedTooDeeply(limit: 32))
  }

  @Test func `Functions that multiply`() {
    // Thirty functions that each call the next one four times.
    let functions = (0..<30).map { depth in
      function(
        "F\(depth)",
        (0..<4).map { index in
          Sample.node(
            depth < 29 ? "F\(depth + 1)" : "Neg", [index == 0 ? "a" : "v\(index)"],
            [index == 3 ? "b" : "v\(index + 1)"], domain: depth < 29 ? "my.functions" : "")
        })
    }
    let error = #expect(throws: ImportError.self) {
      try importModel(model([call("F0")], functions: functions))
    }
    #expect(error?.reason == .tooManyParts)
  }
}
