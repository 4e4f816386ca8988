import BNNGraph
import BNNTensor
import Testing

@testable import BNNImport

@Suite struct InputShapeTests {
  private func type(
    _ declared: [Int64?]?, _ shapes: [String?: [Int?]] = [:]
  ) throws -> ValueType? {
    let model = try importModel(
      Sample.model(
        nodes: [Sample.node("Sign", ["x"], ["y"])], inputs: [Sample.input("x", declared)]),
      options: ImportOptions(inputShapes: shapes))
    return model.graph[model.graph.inputs[0]].type
  }

  private func failure(
    _ declared: [Int64?]?, _ shapes: [String?: [Int?]] = [:]
  ) throws -> ImportError {
    try #require(throws: ImportError.self) { try type(declared, shapes) }
  }

  @Test func `A first dimension without a number is the batch`() throws {
    #expect(
      try type([nil, 3, 8])?.dimensions == [.batch(1), .fixed(3), .fixed(8)])
    #expect(try type([-1, 3])?.dimensions == [.batch(1), .fixed(3)])
    #expect(try type([4, 3])?.dimensions == [.fixed(4), .fixed(3)])
    #expect(try type([])?.dimensions == [])
  }

  @Test func `Another open dimension needs a shape`() throws {
    let error = try failure([nil, 3, nil])
    #expect(error.reason == .shapeNeeded(declared: "[?,3,?]"))
    #expect(error.place == .input(name: "x"))
    #expect(error.category == .unsupported)
    #expect(error.description.contains("--input-shape"))
    #expect(try failure(nil).reason == .shapeNeeded(declared: "no shape"))
  }

  @Test func `A given shape fills the open dimensions`() throws {
    let expected: [Dimension] = [.fixed(2), .fixed(3), .fixed(8)]
    #expect(try type([nil, 3, nil], [nil: [2, 3, 8]])?.dimensions == expected)
    #expect(try type([nil, 3, nil], ["x": [2, 3, 8]])?.dimensions == expected)
    #expect(try type(nil, ["x": [2, 3, 8]])?.dimensions == expected)
    #expect(
      try type([nil, 3, nil], ["x": [nil, 3, 8]])?.dimensions
        == [.batch(1), .fixed(3), .fixed(8)])
  }

  @Test(arguments: [[2, 4, 8], [2, 3], [2, 3, 0], [2, 3, -1]] as [[Int?]])
  func `A given shape that does not fit`(shape: [Int?]) throws {
    let error = try failure([nil, 3, nil], ["x": shape])
    #expect(error.category == .usage)
    guard case .shapeConflict = error.reason else { throw error }
  }

  @Test func `A shape for an input that there is not`() throws {
    let error = try failure([1, 3], ["q": [1, 3]])
    #expect(error.reason == .noSuchInput(available: ["x"]))
    #expect(error.category == .usage)
  }

  @Test func `A shape without a name needs a single input`() throws {
    let model = Sample.model(
      nodes: [Sample.node("Add", ["x", "z"], ["y"])],
      inputs: [Sample.input("x", [1]), Sample.input("z", [1])])
    let error = #expect(throws: ImportError.self) {
      try importModel(model, options: ImportOptions(inputShapes: [nil: [1]]))
    }
    #expect(error?.reason == .severalInputs(available: ["x", "z"]))
  }

  @Test func `An initializer among the inputs is not an input`() throws {
    let model = try importModel(
      Sample.model(
        nodes: [Sample.node("Add", ["x", "w"], ["y"])],
        inputs: [Sample.input("x", [2]), Sample.input("w", [2])],
        initializers: [Sample.floats("w", [2], [1, 2])]))
    #expect(model.graph.inputs.map { model.graph[$0].name } == ["x"])
  }

  @Test func `An input can become a constant`() throws {
    let reshape = Sample.model(
      nodes: [Sample.node("Reshape", ["x", "shape"], ["y"])],
      inputs: [Sample.input("x", [2, 3]), Sample.input("shape", [2], elementType: 7)])
    let error = #expect(throws: ImportError.self) { try importModel(reshape) }
    #expect(error?.category == .unsupported)
    let constants = ["shape": Tensor([Int64(3), 2], shape: [2])]
    let model = try importModel(reshape, options: ImportOptions(inputConstants: constants))
    #expect(model.graph[model.graph.outputs[0]].type == ValueType(.float32, [3, 2] as Shape))
    #expect(model.graph.inputs.count == 1)
  }

  @Test func `Inputs that are no tensors are refused by kind`() throws {
    let sequence = Message().string(1, "x").message(2, Message().message(4, Message()))
    let map = Message().string(1, "x").message(2, Message().message(5, Message()))
    let optional = Message().string(1, "x").message(2, Message().message(9, Message()))
    let undeclared = Message().string(1, "x")
    for (input, kind) in [
      (sequence, "sequence"), (map, "map"), (optional, "optional"), (undeclared, "undeclared"),
    ] {
      let error = #expect(throws: ImportError.self) {
        try importModel(
          Sample.model(nodes: [Sample.node("Identity", ["x"], ["y"])], inputs: [input]))
      }
      #expect(error?.reason == .unsupportedKind(kind))
      #expect(error?.place == .input(name: "x"))
    }
    let error = #expect(throws: ImportError.self) {
      try importModel(
        Sample.model(
          nodes: [Sample.node("Identity", ["x"], ["y"])],
          inputs: [Sample.input("x", [1], elementType: 8)]))
    }
    #expect(error?.reason == .unsupportedElementType("string"))
  }
}
