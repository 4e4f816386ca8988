import BNNKit

/// Whether our reading of an ONNX model reproduces its recorded outputs.
struct RecordedDataCheck {
  /// The tolerances that ONNX's own backend tests use.
  static let relativeTolerance = 1e-3
  static let absoluteTolerance = 1e-7

  var path: String
  var options = ImportOptions()
  var relative = RecordedDataCheck.relativeTolerance

  func report(folder: String) throws(CommandError) -> RecordedDataReport {
    try FilePath.requireReadable(path)
    let signature: OnnxSignature
    do {
      signature = try OnnxSignature(onnxFile: path)
    } catch {
      throw CommandError(error)
    }
    let model = try model(constants: [:], isLast: signature.inputs.isEmpty)
    var comparisons: [OutputComparison] = []
    for set in try RecordedData.sets(in: folder, of: signature) {
      let inputs = try inputs(of: signature, in: set)
      let known = if let model { model } else { try self.model(of: signature, knowing: inputs) }
      comparisons += try compare(set, inputs, known)
    }
    return RecordedDataReport(file: path, outputs: comparisons)
  }

  private func inputs(
    of signature: OnnxSignature, in set: RecordedData
  ) throws(CommandError) -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for (port, tensor) in zip(signature.inputs, set.inputs) {
      guard let tensor else {
        throw CommandError(.noInput, file: path, "no recorded data for input '\(port.name)'")
      }
      inputs[port.name] = tensor
    }
    return inputs
  }

  /// The model, or nil when it takes the elements of more inputs to read it and there are more.
  private func model(
    constants: [String: Tensor], isLast: Bool
  ) throws(CommandError) -> GraphModel? {
    var options = options
    options.inputConstants = constants
    do {
      return GraphModel(
        try SourceModel(onnxFile: path, options: options).graph, fileName: path)
    } catch {
      if error.needsInputValues, !isLast { return nil }
      throw CommandError(error)
    }
  }

  /// The model with as few of its last inputs as possible made constants: operators take what they
  /// work on first, then shapes, counts and positions.
  private func model(
    of signature: OnnxSignature, knowing inputs: [String: Tensor]
  ) throws(CommandError) -> GraphModel {
    var constants: [String: Tensor] = [:]
    for port in signature.inputs.reversed() {
      constants[port.name] = inputs[port.name]
      let isLast = constants.count == signature.inputs.count
      if let model = try model(constants: constants, isLast: isLast) { return model }
    }
    throw CommandError(.unsupported, file: path, "its shapes depend on more than its inputs")
  }

  private func compare(
    _ set: RecordedData, _ inputs: [String: Tensor], _ model: GraphModel
  ) throws(CommandError) -> [OutputComparison] {
    let names = Set(model.inputs.map(\.name))
    let found = Dictionary(
      try model.run(inputs.filter { names.contains($0.key) }).map { ($0.name, $0.tensor) },
      uniquingKeysWith: { first, _ in first })
    return zip(model.outputs, set.outputs).compactMap { port, expected in
      expected.map {
        OutputComparison(
          set: set.name, name: port.name, found: found[port.name], expected: $0,
          relative: relative, absolute: RecordedDataCheck.absoluteTolerance)
      }
    }
  }
}
