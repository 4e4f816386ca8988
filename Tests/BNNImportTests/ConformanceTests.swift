import BNNGraph
import BNNTensor
import Foundation
import Testing

@testable import BNNImport

/// Where Debian's package keeps ONNX's test data.
private let conformanceFolder = "/usr/share/libonnx-testdata/data"

/// Its models that are made of few nodes.
private let conformanceCases: [String] = [
  "node", "simple", "pytorch-converted", "pytorch-operator",
].flatMap { kind in
  let folder = "\(conformanceFolder)/\(kind)"
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  // In this data bfloat16 is written as uint16.
  return names.filter { !$0.contains("BFLOAT16") }.map { "\(kind)/\($0)" }
}.sorted()

/// ONNX's own test data: every model made of operators that the importer knows must give the
/// recorded outputs.
@Suite(.enabled(if: !conformanceCases.isEmpty, "libonnx-testdata is not installed"))
struct ConformanceTests {
  @Test func `Known operators give the recorded outputs`() throws {
    var passed = 0
    for name in conformanceCases {
      let model: SourceModel
      do throws(ImportError) {
        model = try Self.model("\(conformanceFolder)/\(name)")
      } catch {
        #expect(Self.isExpected(error), "\(error)")
        continue
      }
      try check(model, name)
      passed += 1
    }
    #expect(passed > 500, "of \(conformanceCases.count)")
  }

  /// Training is refused, and the remainder that only floats have.
  private static func isExpected(_ error: ImportError) -> Bool {
    if case .node(_, _, let attribute?) = error.place {
      return ["training_mode", "fmod", "axis", "to"].contains(attribute)
    }
    return error.category == .unsupported
  }

  /// The model; inputs whose elements decide a shape are made constants.
  private static func model(_ path: String) throws(ImportError) -> SourceModel {
    var fixed = 0
    while true {
      do throws(ImportError) {
        return try SourceModel(
          onnxFile: path + "/model.onnx",
          options: ImportOptions(inputConstants: try inputs(path, last: fixed)))
      } catch {
        guard case .graph(.atNode(_, _, .shapeDependsOnData)) = error.reason else { throw error }
        fixed += 1
      }
    }
  }

  /// The recorded elements of the last inputs.
  private static func inputs(
    _ path: String, last count: Int
  ) throws(ImportError) -> [String: Tensor] {
    let names = try reading(path) { () throws(ImportFault) in
      var decoder = TensorDecoder(folder: nil)
      let graph = try OnnxMessages.readModel(path + "/model.onnx", decoder: &decoder).model.graph
      let initialized = Set(graph.initializers.map(\.name))
      return graph.inputs.map(\.name).filter { !initialized.contains($0) }
    }
    var tensors: [String: Tensor] = [:]
    for (index, name) in names.enumerated().suffix(count) {
      tensors[name] = try TensorProto.read("\(path)/test_data_set_0/input_\(index).pb")
    }
    return tensors
  }

  private func check(_ model: SourceModel, _ name: String) throws {
    let path = "\(conformanceFolder)/\(name)/test_data_set_0"
    let all = try Self.inputs("\(conformanceFolder)/\(name)", last: .max)
    let names = Set(model.graph.inputs.map { model.graph[$0].name })
    let results = try ReferenceExecutor(model.graph).run(all.filter { names.contains($0.key) })
    for (index, output) in model.graph.outputs.enumerated() {
      let result = try #require(results[output])
      let expected = try TensorProto.read("\(path)/output_\(index).pb")
      #expect(result.shape == expected.shape, "\(name)")
      #expect(result.elementType == expected.elementType, "\(name)")
      guard result.shape == expected.shape else { continue }
      let far = zip(result.doubles, expected.doubles).filter { !isClose($0, $1) }
      #expect(far.isEmpty, "\(name): \(far.prefix(3))")
    }
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool {
    a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 1e-3 * max(1, abs(b))
  }
}
