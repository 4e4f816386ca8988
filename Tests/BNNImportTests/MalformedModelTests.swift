import BNNTensor
import BNNTestSupport
import Foundation
import Testing

@testable import BNNImport

@Suite struct MalformedModelTests {
  private func failure(_ message: Message) throws -> ImportError {
    try #require(throws: ImportError.self) { try importModel(message) }
  }

  // MARK: Files

  @Test func `The sample itself is read`() throws {
    let model = try importModel(Sample.convolution)
    #expect(model.graph.nodes.map(\.name) == ["conv", "sign"])
    #expect(model.byteCount == Sample.convolution.bytes.count)
    #expect(model.metadata.contains { $0 == ("producer", "test") })
  }

  @Test func `A missing file`() {
    let error = #expect(throws: ImportError.self) { try SourceModel(onnxFile: "/nowhere/x.onnx") }
    #expect(error?.reason == .notFound)
    #expect(error?.category == .missingFile)
  }

  @Test func `A folder`() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: ImportError.self) { try SourceModel(onnxFile: folder.path) }
    #expect(error?.reason == .notARegularFile)
    #expect(error?.category == .missingFile)
  }

  @Test func `An empty file`() throws {
    let error = try failure(Message())
    #expect(error.reason == .empty)
    #expect(error.category == .malformed)
  }

  @Test func `A file cut at any byte`() throws {
    let bytes = Sample.convolution.bytes
    for count in 1..<bytes.count {
      let error = #expect(throws: ImportError.self, "cut at \(count)") {
        try importModel(Array(bytes[..<count]))
      }
      #expect(error?.category == .malformed)
    }
  }

  @Test func `Any changed byte is an error or another model, never a crash`() throws {
    let bytes = Sample.convolution.bytes
    var refused = 0
    for index in bytes.indices {
      for change: UInt8 in [0x01, 0x80, 0xFF] {
        var changed = bytes
        changed[index] ^= change
        do { _ = try importModel(changed) } catch is ImportError { refused += 1 }
      }
    }
    #expect(refused > bytes.count / 4)
  }

  @Test func `Random bytes`() throws {
    var generator = SeededGenerator(seed: 7)
    for size in [1, 2, 10, 100, 1000] {
      for _ in 0..<20 {
        let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(throws: ImportError.self) { try importModel(bytes) }
      }
    }
  }

  @Test func `Messages nested too deeply`() throws {
    var graph = Message().string(2, "innermost")
    for _ in 0..<100_000 / 50 {
      graph = Message().message(1, Message().message(5, Message().message(6, graph)))
    }
    let error = try failure(Message().integer(1, 8).message(7, graph))
    #expect(error.reason == .nestedTooDeeply(limit: 64))
  }

  @Test func `A file of countless empty messages`() throws {
    // 0A 00 is an empty node: two bytes here, a hundred when unpacked.
    let nodes = [[UInt8]](repeating: [0x0A, 0x00], count: 8 << 20).flatMap { $0 }
    let error = try failure(Message().data(7, nodes))
    #expect(error.reason == .tooManyParts)
  }

  @Test func `Unknown fields are passed over`() throws {
    let extra = Message().string(1000, "later").integer(2000, -1).float(3000, 1)
    let model = try importModel(Message(bytes: extra.bytes + Sample.convolution.bytes))
    #expect(model.graph.nodes.count == 2)
  }

  @Test func `Another kind of file`() throws {
    #expect(try failure(Message().integer(1, 8)).reason == .notAModel)
    let text = try failure(Message(bytes: Array("<html>not found</html>".utf8)))
    #expect(text.category == .malformed)
  }

  // MARK: Operator sets

  @Test(arguments: [Int64(24), 1000, 0, -1])
  func `An operator set of another time`(version: Int64) throws {
    let error = try failure(
      Sample.model(nodes: [Sample.node("Sign", ["x"], ["y"])], operatorSet: version))
    #expect(error.reason == .operatorSetUnsupported(version: version, newest: 23))
    #expect(error.category == .unsupported)
    #expect(error.description.contains("\(version)"))
  }

  @Test func `No operator set`() throws {
    let model = Sample.model(nodes: [Sample.node("Sign", ["x"], ["y"])], operatorSet: nil)
    #expect(try failure(model).reason == .noOperatorSet)
  }

  // MARK: Structure

  @Test func `All unsupported operators are listed with their nodes`() throws {
    let error = try failure(
      Sample.model(nodes: [
        Sample.node("Det", ["x"], ["a"], name: "first"),
        Sample.node("Sign", ["a"], ["b"]),
        Sample.node("Quant", ["b"], ["c"], name: "second", domain: "my.domain"),
        Sample.node("Det", ["c"], ["y"]),
      ]))
    #expect(
      error.reason
        == .unsupportedOperators([
          UnsupportedOperator(op: "Det", domain: "", nodes: ["first", "y"]),
          UnsupportedOperator(op: "Quant", domain: "my.domain", nodes: ["second"]),
        ]))
    #expect(error.category == .unsupported)
    #expect(error.description.contains("my.domain::Quant (nodes 'second')"))
  }

  @Test func `A cycle`() throws {
    let error = try failure(
      Sample.model(nodes: [
        Sample.node("Add", ["x", "b"], ["a"], name: "first"),
        Sample.node("Sign", ["a"], ["b"], name: "second"),
        Sample.node("Sign", ["b"], ["y"], name: "third"),
      ]))
    guard case .cycle(let nodes) = error.reason else { throw error }
    #expect(nodes.sorted() == ["first", "second"])
    #expect(error.category == .malformed)
  }

  @Test func `A node that reads itself`() throws {
    let error = try failure(Sample.model(nodes: [Sample.node("Sign", ["y"], ["y"], name: "n")]))
    #expect(error.reason == .cycle(nodes: ["n"]))
  }

  @Test func `An undefined value`() throws {
    let error = try failure(Sample.model(nodes: [Sample.node("Sign", ["q"], ["y"], name: "n")]))
    #expect(error.reason == .undefinedValue(name: "q"))
    #expect(error.place == .node(name: "n", op: "Sign", attribute: nil))
  }

  @Test func `An undefined output`() throws {
    let model = Sample.model(nodes: [Sample.node("Sign", ["x"], ["y"])], outputs: ["q"])
    #expect(try failure(model).reason == .undefinedValue(name: "q"))
  }

  @Test func `No outputs`() throws {
    let model = Sample.model(nodes: [Sample.node("Sign", ["x"], ["y"])], outputs: [])
    #expect(try failure(model).reason == .noOutputs)
  }

  @Test func `A value with two producers`() throws {
    let error = try failure(
      Sample.model(nodes: [
        Sample.node("Sign", ["x"], ["y"]), Sample.node("Neg", ["x"], ["y"], name: "again"),
      ]))
    #expect(error.reason == .duplicateValue(name: "y"))
    #expect(error.place == .node(name: "again", op: "Neg", attribute: nil))
  }

  @Test func `Too few and too many inputs`() throws {
    let few = try failure(Sample.model(nodes: [Sample.node("Conv", ["x"], ["y"])]))
    #expect(few.reason == .missingInput(index: 1))
    let leftOut = try failure(Sample.model(nodes: [Sample.node("Add", ["", "x"], ["y"])]))
    #expect(leftOut.reason == .missingInput(index: 0))
    let many = try failure(Sample.model(nodes: [Sample.node("Sign", ["x", "x"], ["y"])]))
    #expect(many.reason == .wrongInputCount(found: 2, expected: 1...1))
  }

  // MARK: Attributes

  @Test func `An attribute that the operator does not have`() throws {
    let error = try failure(
      Sample.model(nodes: [
        Sample.node(
          "Relu", ["x"], ["y"], name: "n", attributes: [Sample.attribute("slope", float: 1)])
      ]))
    #expect(error.reason == .unknownAttribute)
    #expect(error.place == .node(name: "n", op: "Relu", attribute: "slope"))
    #expect(error.description.contains("node 'n' (Relu): attribute 'slope': "))
  }

  @Test(arguments: [
    (Sample.attribute("group", float: 1), "group"),
    (Sample.attribute("group", integer: 0), "group"),
    (Sample.attribute("group", integer: -3), "group"),
    (Sample.attribute("strides", integers: [0, 1]), "strides"),
    (Sample.attribute("strides", integers: [1]), "strides"),
    (Sample.attribute("pads", integers: [-1, 0, 0, 0]), "pads"),
    (Sample.attribute("pads", integers: [1, 1]), "pads"),
    (Sample.attribute("dilations", integers: [1, 1, 1]), "dilations"),
    (Sample.attribute("kernel_shape", integers: [3]), "kernel_shape"),
    (Sample.attribute("kernel_shape", integers: [.max, 3]), "kernel_shape"),
    (Sample.attribute("auto_pad", string: "SOMETIMES"), "auto_pad"),
  ])
  func `A wrong attribute of a convolution is named`(attribute: Message, name: String) throws {
    let error = try failure(
      Sample.model(
        nodes: [Sample.node("Conv", ["x", "w"], ["y"], name: "n", attributes: [attribute])],
        initializers: [Sample.floats("w", [1, 2, 1, 1], [1, 1])]))
    #expect(error.place == .node(name: "n", op: "Conv", attribute: name))
    #expect(error.category == .malformed)
  }

  @Test func `A shape that does not fit names the node`() throws {
    let error = try failure(
      Sample.model(
        nodes: [Sample.node("Conv", ["x", "w"], ["y"], name: "n")],
        initializers: [Sample.floats("w", [1, 3, 1, 1], [1, 1, 1])]))
    #expect(error.category == .malformed)
    #expect(error.description.contains("node 'n' (Conv)"))
  }
}
