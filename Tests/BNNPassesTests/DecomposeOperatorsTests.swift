import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

/// The operator cases show that what is written with simpler operators computes the same. Here:
/// which operators are written so, with an open batch too.
@Suite struct DecomposeOperatorsTests {
  private func names(of op: Op, _ operands: ValueType..., constants: Tensor...) throws -> [String] {
    var graph = Graph(name: "test")
    var inputs: [ValueID?] = operands.enumerated().map { index, type in
      graph.addInput(name: "x\(index)", type: type)
    }
    inputs += constants.map { graph.addConstant($0, name: "constant") }
    graph.outputs = [graph.add(op, name: "node", inputs: inputs)]
    let before = graph[graph.outputs[0]].name
    try PassPipeline([DecomposeOperators()]).run(on: &graph)
    #expect(graph[graph.outputs[0]].name == before)
    return graph.nodes.map(\.op.definition.name)
  }

  private let rows = ValueType(.float32, [.batch(1), .fixed(4)])
  private let image = ValueType(.float32, [.batch(1), .fixed(3), .fixed(2), .fixed(2)])
  private let numbers = ValueType(.int64, [.batch(1), .fixed(4)])

  private func list(_ count: Int) -> Tensor {
    Tensor([Float](repeating: 2, count: count), shape: [count])
  }

  @Test func products() throws {
    let square = ValueType(.float32, [.fixed(4), .fixed(4)])
    let gemm = Gemm(alpha: 2, beta: 0.5, transposeB: true)
    #expect(
      try names(of: .gemm(gemm), rows, square, constants: list(4)) == [
        "Transpose", "MatMul", "Mul", "Add",
      ])
    #expect(
      try names(of: .matMul(MatMul()), rows, ValueType(.float32, [.fixed(4)])) == [
        "Reshape", "MatMul", "Reshape",
      ])
    #expect(try names(of: .matMul(MatMul()), rows, square) == ["MatMul"])
  }

  @Test func normalizations() throws {
    let parameters = (0..<4).map { _ in list(3) }
    #expect(
      try names(
        of: .batchNormalization(BatchNormalization()), image,
        constants: parameters[0], parameters[1], parameters[2], parameters[3]) == ["Mul", "Add"])
  }

  @Test func limitsAndSlopes() throws {
    #expect(
      try names(of: .clip(Clip()), rows, ValueType(.float32, [.fixed(1)])) == [
        "Reshape", "Max", "Min",
      ])
    #expect(try names(of: .clip(Clip()), numbers) == ["Identity"])
    #expect(try names(of: .pRelu(PRelu()), rows, rows) == ["Less", "Mul", "Where"])
  }

  @Test func functionsOfIntegers() throws {
    func names(_ function: PointwiseFunction) throws -> [String] {
      try self.names(of: .elementwiseUnary(ElementwiseUnary(function: function)), numbers)
    }
    #expect(try names(.absolute) == ["Sub", "Max"])
    #expect(try names(.negate) == ["Sub"])
    #expect(try names(.relu) == ["Max"])
    #expect(try names(.sign) == ["Max", "Min"])
    let power = Op.elementwiseBinary(ElementwiseBinary(kind: .power))
    #expect(try self.names(of: power, rows, numbers) == ["Cast", "Pow"])
    let short = ValueType(.int32, [.batch(1), .fixed(4)])
    #expect(try self.names(of: power, short, numbers) == ["Cast", "Pow", "Cast"])
  }

  @Test func shapes() throws {
    let repeats = Tensor([1, 2] as [Int64], shape: [2])
    #expect(
      try names(of: .tile(Tile()), rows, constants: repeats) == ["Reshape", "Expand", "Reshape"])
    let softmax = Softmax(axis: 1, flattens: true)
    #expect(try names(of: .softmax(softmax), image) == ["Reshape", "Softmax", "Reshape"])
    #expect(try names(of: .softmax(softmax), rows) == ["Softmax"])
    // All of the batch together: no reshape can say that, and no layer does it.
    #expect(try names(of: .softmax(Softmax(axis: 0, flattens: true)), rows) == ["Softmax"])
  }
}
