import BNNKit
import Testing

@testable import BNNCommandLine

/// Doubles its inputs; remembers nothing.
private struct Doubler: RunnableModel {
  var inputs: [Port]
  var outputs: [Port] { inputs }
  var kernels: String { "test" }

  func run(_ inputs: [String: Tensor]) throws(CommandError) -> [NamedTensor] {
    self.inputs.compactMap { port in
      inputs[port.name].map { tensor in
        NamedTensor(
          name: port.name, tensor: Tensor(tensor.floats.map { 2 * $0 }, shape: tensor.shape))
      }
    }
  }
}

@Suite struct BatchedRunTests {
  private func model(_ dimensions: [Dimension]...) -> Doubler {
    Doubler(
      inputs: dimensions.enumerated().map { index, dimensions in
        Port(name: "x\(index)", elementType: .float32, dimensions: dimensions)
      })
  }

  private func ramp(_ shape: Shape) -> Tensor {
    Tensor((0..<shape.count).map { Float($0) }, shape: shape)
  }

  private func outputs(_ model: Doubler, _ inputs: Tensor...) throws -> [Tensor] {
    let named = Dictionary(
      uniqueKeysWithValues: inputs.enumerated().map { ("x\($0)", $1) })
    return try BatchedRun(model, inputs: named).outputs().map(\.tensor)
  }

  private func expectUsageError(
    _ model: Doubler, _ inputs: Tensor..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let named = Dictionary(
      uniqueKeysWithValues: inputs.enumerated().map { ("x\($0)", $1) })
    let error = #expect(throws: CommandError.self, sourceLocation: sourceLocation) {
      _ = try BatchedRun(model, inputs: named).outputs()
    }
    #expect(error?.status == .usage, sourceLocation: sourceLocation)
  }

  @Test func openBatchTakesAnySize() throws {
    let model = model([.batch(1), .fixed(3)])
    for batch in [1, 2, 7] {
      let x = ramp([batch, 3])
      #expect(try outputs(model, x) == [Tensor(x.floats.map { 2 * $0 }, shape: x.shape)])
    }
    expectUsageError(model, ramp([0, 3]))
    expectUsageError(model, ramp([2, 4]))
    expectUsageError(model, ramp([6]))
  }

  @Test func fixedBatchRunsInSlices() throws {
    let model = model([.fixed(2), .fixed(3)])
    for batch in [2, 4, 10] {
      let x = ramp([batch, 3])
      #expect(try outputs(model, x) == [Tensor(x.floats.map { 2 * $0 }, shape: x.shape)])
    }
    expectUsageError(model, ramp([3, 3]))
    expectUsageError(model, ramp([0, 3]))
  }

  @Test func inputsShareTheirBatch() throws {
    let fixed = model([.fixed(1), .fixed(3)], [.fixed(2)])
    #expect(try outputs(fixed, ramp([3, 3]), ramp([6])).map(\.shape) == [[3, 3], [6]])
    expectUsageError(fixed, ramp([3, 3]), ramp([2]))
    let open = model([.batch(1), .fixed(3)], [.batch(2)])
    #expect(try outputs(open, ramp([3, 3]), ramp([6])).map(\.shape) == [[3, 3], [6]])
    expectUsageError(open, ramp([3, 3]), ramp([4]))
    expectUsageError(open, ramp([3, 3]), ramp([5]))
  }

  @Test func missingInputIsAnError() { expectUsageError(model([.fixed(1)])) }

  @Test func typesAreConvertedWhereNothingIsLost() {
    let integers = Tensor([1, -1, 300] as [Int64], shape: [3])
    #expect(integers.converted(to: .float32) == Tensor([1, -1, 300] as [Float], shape: [3]))
    #expect(integers.converted(to: .uint8) == nil)
    #expect(integers.converted(to: .int16)?.elementType == .int16)
    #expect(integers.converted(to: .sign) == nil)
    let signs = Tensor([1, -1, -1] as [Float], shape: [3])
    #expect(signs.converted(to: .sign)?.floats == [1, -1, -1])
    #expect(signs.converted(to: .int8) == nil)
  }
}
