import BNNKit

/// Whether our reading of an ONNX model reproduces its recorded outputs.
struct RecordedDataCheck {
  /// The tolerances that ONNX's own backend tests use.
  static let relativeTolerance = 1e-3
  static let absoluteTolerance = 1e-7

  var model: GraphModel
  var path: String
  var relative = RecordedDataCheck.relativeTolerance

  func report(folder: String) throws(CommandError) -> RecordedDataReport {
    let sets = try RecordedData.sets(
      in: folder, inputCount: model.inputs.count, outputCount: model.outputs.count)
    var comparisons: [OutputComparison] = []
    for set in sets { comparisons += try compare(set) }
    return RecordedDataReport(file: path, outputs: comparisons)
  }

  private func compare(_ set: RecordedData) throws(CommandError) -> [OutputComparison] {
    var inputs: [String: Tensor] = [:]
    for (port, tensor) in zip(model.inputs, set.inputs) {
      guard let tensor else {
        throw CommandError(.noInput, file: path, "no recorded data for input '\(port.name)'")
      }
      inputs[port.name] = tensor
    }
    let found = Dictionary(
      try model.run(inputs).map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    return zip(model.outputs, set.outputs).compactMap { port, expected in
      expected.map {
        OutputComparison(
          set: set.name, name: port.name, found: found[port.name], expected: $0,
          relative: relative, absolute: RecordedDataCheck.absoluteTolerance)
      }
    }
  }
}
