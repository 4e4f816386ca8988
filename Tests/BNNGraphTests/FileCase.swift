import BNNExport
import BNNFormat
import BNNPasses
import BNNRuntime
import BNNTensor
import Testing

@testable import BNNGraph

/// An operator case that goes through a file: lower → write → read → run must give what the
/// reference executor gives.
struct FileCase {
  private let op: Op
  private let operands: [Tensor?]
  private let expected: [Tensor]

  private static let types: [ElementType] = [.float32, .int32, .int64, .bool]

  /// - Returns: nil for elements of types that files do not have, and for real values that are
  ///   padded with ±1, which is for signs.
  init?(_ op: Op, _ operands: [Tensor?], _ expected: [Tensor]) {
    let tensors = operands.compactMap { $0 } + expected
    guard tensors.allSatisfy({ Self.types.contains($0.elementType) || $0.elementType == .sign })
    else { return nil }
    if case .convolution(let convolution) = op, convolution.geometry.padding != .zero { return nil }
    (self.op, self.operands, self.expected) = (op, operands, expected)
  }

  /// Runs with as many operands as inputs as possible, and with all but the first as constants.
  func check(_ location: SourceLocation) throws {
    let later = Set(operands.indices.dropFirst())
    for constants in [needed, later.union(needed)] {
      let graph = graph(constants: constants)
      var prepared = graph
      try PassPipeline([FoldConstants(), DecomposeOperators()]).run(on: &prepared)
      let model = try LoweredModel(lowering: prepared, provenance: .test).model
      let read = try BinaryModel(decoding: model.encoded())
      var inputs: [String: Tensor] = [:]
      for id in graph.inputs {
        guard let index = Int(graph[id].name) else { continue }
        inputs[graph[id].name] = operands[index]
      }
      let found = try InferenceSession(read).run(inputs).map(\.tensor)
      let threaded = try InferenceSession(read, threads: 3).run(inputs).map(\.tensor)
      #expect(found == threaded, "with several threads", sourceLocation: location)
      try #require(found.count == expected.count, sourceLocation: location)
      for (result, expected) in zip(found, expected) {
        #expect(
          result.agrees(with: expected), "from a file: \(result), expected \(expected)",
          sourceLocation: location)
      }
    }
  }

  /// The operands that must be constants: bits, and those that decide a shape.
  private var needed: Set<Int> {
    var facts = operands.facts
    var needed: Set<Int> = []
    for index in operands.indices {
      if operands[index]?.elementType == .sign { needed.insert(index) }
      facts[index]?.value = nil
    }
    for _ in operands {
      for index in needed { facts[index]?.value = operands[index] }
      do throws(OperatorError) {
        _ = try op.definition.inferTypes(facts)
      } catch .shapeDependsOnData(let index) {
        needed.insert(index)
      } catch {
        break
      }
    }
    return needed
  }

  private func graph(constants: Set<Int>) -> Graph {
    var graph = Graph(name: "case")
    var ids: [ValueID?] = []
    for (index, operand) in operands.enumerated() {
      guard let operand else {
        ids.append(nil)
        continue
      }
      if constants.contains(index) {
        ids.append(graph.addConstant(operand, name: "constant \(index)"))
      } else {
        let type = ValueType(operand.elementType, operand.shape)
        ids.append(graph.addInput(name: "\(index)", type: type))
      }
    }
    if op.readsBits, let first = ids.first {
      ids[0] = graph.add(
        .binarize(Binarize(thresholds: .zeroIsPlus)), name: "signs", inputs: [first])
    }
    let outputs = expected.indices.map { graph.addValue(Value(name: "result \($0)")) }
    graph.nodes.append(Node(name: "case", op: op, inputs: ids, outputs: outputs))
    graph.outputs = outputs
    return graph
  }
}

extension Op {
  fileprivate var readsBits: Bool {
    switch self {
    case .binaryConvolution, .binaryPool: true
    case .block(let block): if case .binaryConvolution = block.core { true } else { false }
    default: false
    }
  }
}

extension Tensor {
  /// Integers and bools exactly; floats up to the rounding of sums in another order.
  fileprivate func agrees(with expected: Tensor) -> Bool {
    guard elementType == expected.elementType, shape == expected.shape else { return false }
    return elementType == .float32
      ? isClose(doubles, expected.doubles, 1e-6) : self == expected
  }
}

extension Provenance {
  fileprivate static let test = Provenance(
    producer: "tests", sourceName: "case", sourceBytes: 0, passes: [], options: [])
}
