import BNNKit
import BNNTestSupport

@testable import BNNImport

/// One of ONNX's own test models, with its recorded inputs and outputs.
struct OnnxTestData: Sendable {
  /// The kind and the name of the test.
  let name: String

  static let all = OnnxTestFolders.all.map { OnnxTestData(name: $0) }

  private var path: String { "\(OnnxTestFolders.root)/\(name)" }

  /// The model. Inputs whose elements decide a shape are made constants of what is recorded.
  func model() throws(ImportError) -> SourceModel {
    var fixed = 0
    while true {
      do throws(ImportError) {
        return try SourceModel(
          onnxFile: path + "/model.onnx",
          options: ImportOptions(inputConstants: try inputs(last: fixed)))
      } catch {
        guard case .graph(.atNode(_, _, .shapeDependsOnData)) = error.reason else { throw error }
        fixed += 1
      }
    }
  }

  /// The recorded inputs of a model by name.
  func inputs(of model: SourceModel) throws(ImportError) -> [String: Tensor] {
    let names = Set(model.graph.inputs.map { model.graph[$0].name })
    return try inputs(last: .max).filter { names.contains($0.key) }
  }

  /// The recorded outputs in order.
  func outputs(count: Int) throws(ImportError) -> [Tensor] {
    var tensors: [Tensor] = []
    for index in 0..<count {
      tensors.append(try TensorProto.read("\(path)/test_data_set_0/output_\(index).pb"))
    }
    return tensors
  }

  private func inputs(last count: Int) throws(ImportError) -> [String: Tensor] {
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
}
