import BNNFormat
import BNNGraph
import BNNKit
import BNNTensor
import Testing

@testable import BNNVerification

/// A network without a binary layer whose inputs and values have several types.
@Suite struct ArrayNetworkTests {
  /// Rows of a table that an input lists, times a matrix; the places of the largest, and which
  /// are above 0.
  private var network: Graph {
    var graph = Graph(name: "table")
    let list = graph.addInput(name: "list", type: ValueType(.int64, [.batch(1), .fixed(3)]))
    let table = graph.addConstant(
      Tensor((0..<20).map { Float($0 * 7 % 11) - 4 }, shape: [5, 4]), name: "table")
    let matrix = graph.addInput(name: "matrix", type: ValueType(.float32, [.fixed(4), .fixed(6)]))
    let zero = graph.addConstant(Tensor(scalar: 0), name: "zero")
    let rows = graph.add(.gather(Gather(axis: 0)), name: "rows", inputs: [table, list])
    let product = graph.add(.matMul(MatMul()), name: "product", inputs: [rows, matrix])
    graph.outputs = [
      product,
      graph.add(
        .argumentExtremum(ArgumentExtremum(isMaximum: true, axis: 2)), name: "best",
        inputs: [product]),
      graph.add(
        .comparison(Comparison(kind: .greater)), name: "above", inputs: [product, zero]),
    ]
    return graph
  }

  /// An image of bytes or of numbers in double precision, which files hold as float32.
  private func image(_ type: ElementType) -> Graph {
    var graph = Graph(name: "image")
    let image = graph.addInput(
      name: "image", type: ValueType(type, [.batch(1), .fixed(4), .fixed(5), .fixed(3)]))
    let scale = graph.addConstant(
      Tensor([0.5, -0.25, 2] as [Float], shape: [3, 1, 1]), name: "scale")
    let moved = graph.add(
      .transpose(Transpose(permutation: [0, 3, 1, 2])), name: "moved", inputs: [image])
    let real = graph.add(.cast(Cast(to: .float32)), name: "real", inputs: [moved])
    graph.outputs = [
      graph.add(
        .elementwiseBinary(ElementwiseBinary(kind: .multiply)), name: "scaled",
        inputs: [real, scale])
    ]
    return graph
  }

  private func converted() throws -> (canonical: Graph, model: BinaryModel) {
    try converted(network)
  }

  private func converted(_ source: Graph) throws -> (canonical: Graph, model: BinaryModel) {
    var graph = source
    try PassPipeline.standard().run(on: &graph)
    let provenance = Provenance(
      producer: "tests", sourceName: "table.onnx", sourceBytes: 0, passes: [], options: [])
    return (graph, try LoweredModel(lowering: graph, provenance: provenance).model)
  }

  @Test func seededPositionsExist() throws {
    let (canonical, model) = try converted()
    let report = try Verifier(source: network, canonical: canonical, model: model).verify()
    #expect(report.verdict == .match)
    #expect(report.layers.allSatisfy { $0.mismatches == 0 && $0.compared > 0 })
    #expect(try SelfCheck(model).run().verdict == .match)
  }

  @Test(arguments: [ElementType.uint8, .int8, .int16, .float64, .float16])
  func inputsOfOtherTypesAreComparedAsFloat32(type: ElementType) throws {
    let source = image(type)
    let (canonical, model) = try converted(source)
    #expect(model.inputs.map { model.values[$0].elementType } == [.float32])
    let report = try Verifier(source: source, canonical: canonical, model: model).verify()
    #expect(report.verdict == .match)
    #expect(report.endToEnd.maximumError <= 1e-6)
  }

  @Test func aChangedConstantIsFound() throws {
    var (canonical, model) = try converted()
    let index = try #require(
      model.layers.firstIndex { layer in
        if case .array(.constant(let tensor)) = layer.operation {
          tensor.count == 20
        } else {
          false
        }
      })
    guard case .array(.constant(let tensor)) = model.layers[index].operation else { return }
    var elements = tensor.floats
    elements[7] += 1
    model.layers[index].operation = .array(.constant(Tensor(elements, shape: tensor.shape)))
    let report = try Verifier(source: network, canonical: canonical, model: model).verify()
    #expect(report.verdict == .mismatch)
    #expect(report.firstMismatch?.name == model.layers[index].name)
    #expect(report.firstMismatch?.storedMismatches == 1)
  }

  @Test func aChangedChoiceIsFound() throws {
    var (canonical, model) = try converted()
    let index = try #require(
      model.layers.firstIndex { $0.operation.kind == "argumentExtremum" })
    model.layers[index].operation = .array(
      .argumentExtremum(isMaximum: false, axis: 2, keepDimensions: true, selectsLast: false))
    let report = try Verifier(source: network, canonical: canonical, model: model).verify()
    #expect(report.verdict == .mismatch)
    #expect(report.firstMismatch?.name == model.layers[index].name)
  }
}
