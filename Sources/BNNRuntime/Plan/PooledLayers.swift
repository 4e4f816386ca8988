import BNNFormat
import BNNTensor

/// Layers whose values only the pool after them reads, which are computed together (`PooledStep`).
struct PooledLayers {
  /// Indices of the layers before the pools.
  private(set) var producers: Set<Int> = []

  /// A map that stays in the second-level cache is not worth it.
  static let fewestBytes = 1 << 18

  init(_ model: BinaryModel, _ buffers: [Buffer]) {
    var uses = [Int](repeating: 0, count: buffers.count)
    for layer in model.layers { for value in layer.inputs { uses[value] += 1 } }
    for value in model.outputs { uses[value] += 1 }
    for index in model.layers.indices.dropLast() {
      let (layer, next) = (model.layers[index], model.layers[index + 1])
      guard let value = layer.outputs.first, layer.operation.computesLines,
        next.inputs.first == value,
        uses[value] == 1, case .pool(_, let window, let ceiling, _) = next.operation,
        window.spatialRank == 2, buffers[value].byteCount >= PooledLayers.fewestBytes,
        let plan = try? WindowPlan(window, input: buffers[value].shape, ceiling: ceiling)
      else { continue }
      // Threads share the lines of the result, each with a band of its own.
      let isFlat = plan.strides[1] <= plan.windowLines && 4 * plan.windowLines <= plan.input[1]
      if isFlat { producers.insert(index) }
    }
  }

  /// Whether a layer's work is done by the one before it.
  func isPool(_ layer: Int) -> Bool { producers.contains(layer - 1) }
}

extension Operation {
  /// Whether its step is a `LineStep` that makes real values only.
  fileprivate var computesLines: Bool {
    if case .values = lineEpilogue?.output { true } else { false }
  }

  /// What follows the core of an operation that can be computed line by line.
  var lineEpilogue: Epilogue? {
    switch self {
    case .convolution(_, _, let epilogue), .quantizedConvolution(_, _, _, let epilogue),
      .pointwise(let epilogue):
      epilogue
    default: nil
    }
  }
}
