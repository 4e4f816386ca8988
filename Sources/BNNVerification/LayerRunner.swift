import BNNFormat
import BNNRuntime
import BNNTensor

/// Runs one layer of a model alone, on inputs that someone else computed.
struct LayerRunner {
  private let session: InferenceSession
  private let inputs: [(name: String, value: Int)]

  /// - Parameter operation: what to run instead of the layer's own operation, with all results.
  init(
    _ index: Int, of model: BinaryModel, operation: BNNFormat.Operation? = nil, threads: Int,
    kernels: KernelChoice = .best
  ) throws(VerificationError) {
    var layer = model.layers[index]
    var values: [ModelValue] = []
    var places: [Int: Int] = [:]
    for value in layer.inputs where places[value] == nil {
      places[value] = values.count
      values.append(model.values[value])
    }
    let inputCount = values.count
    var results = layer.outputs.map { model.values[$0] }
    if let operation, let first = results.first {
      layer.operation = operation
      results = (operation.epilogue?.outputTypes ?? []).map {
        ModelValue(name: "", elementType: $0, dimensions: first.dimensions)
      }
    }
    values += results
    for place in values.indices { values[place].name = "value \(place)" }
    layer.inputs = layer.inputs.compactMap { places[$0] }
    layer.outputs = Array(inputCount..<values.count)
    inputs = places.map { (values[$0.value].name, $0.key) }
    let alone = BinaryModel(
      provenance: model.provenance, values: values, inputs: Array(0..<inputCount),
      outputs: layer.outputs, layers: [layer])
    session = try attempt { () throws(RuntimeError) in
      try InferenceSession(alone, threads: threads, kernels: kernels)
    }
  }

  /// The layer's results for the values that it reads, by their index in the whole model.
  func run(_ values: (Int) -> Tensor?) throws(VerificationError) -> [Tensor] {
    var tensors: [String: Tensor] = [:]
    for (name, value) in inputs { tensors[name] = values(value) }
    return try attempt { () throws(RuntimeError) in try session.run(tensors).map(\.tensor) }
  }
}
