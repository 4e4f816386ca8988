import BNNKit

/// Runs a model on inputs whose batch may be larger than the model's own.
///
/// A model with an open batch takes any. One with fixed extents also takes inputs whose first
/// extents are all the same multiple of its own; they run slice by slice and the outputs are joined.
struct BatchedRun {
  let model: any RunnableModel
  private let sliceCount: Int
  private let inputs: [String: Tensor]

  init(_ model: any RunnableModel, inputs: [String: Tensor]) throws(CommandError) {
    self.model = model
    self.inputs = inputs
    var counts: Set<Int> = []
    var batches: Set<Int> = []
    for port in model.inputs {
      guard let tensor = inputs[port.name] else {
        throw CommandError(
          .usage, "input '\(port.name)' has no file; use --input '\(port.name)'=FILE")
      }
      let fit = try BatchedRun.fit(tensor.shape, port)
      counts.insert(fit.slices)
      if let batch = fit.batch { batches.insert(batch) }
    }
    guard counts.count <= 1, batches.count <= 1 else {
      throw CommandError(.usage, "the inputs do not have the same batch size")
    }
    sliceCount = counts.first ?? 1
  }

  private static func fit(
    _ shape: Shape, _ port: Port
  ) throws(CommandError) -> (slices: Int, batch: Int?) {
    guard let dimensions = port.dimensions else { return (1, nil) }
    let mismatch = CommandError(
      .usage, "input '\(port.name)': expected shape \(port.shapeText), found \(shape)")
    guard shape.rank == dimensions.count else { throw mismatch }
    var slices = 1
    var batches: Set<Int> = []
    for (axis, dimension) in dimensions.enumerated() {
      let extent = shape[axis]
      switch dimension {
      case .batch(let multiple):
        guard multiple > 0, extent > 0, extent % multiple == 0 else { throw mismatch }
        batches.insert(extent / multiple)
      case .fixed(let expected) where axis == 0 && expected > 0:
        guard extent > 0, extent % expected == 0 else { throw mismatch }
        slices = extent / expected
      case .fixed(let expected):
        guard extent == expected else { throw mismatch }
      }
    }
    guard batches.count <= 1, batches.isEmpty || slices == 1 else { throw mismatch }
    return (slices, batches.first)
  }

  /// The outputs, in the model's order.
  func outputs(
    progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
  ) throws(CommandError) -> [NamedTensor] {
    guard sliceCount > 1 else { return try model.run(typed(inputs)) }
    var parts: [[NamedTensor]] = []
    for slice in 0..<sliceCount {
      progress(slice, sliceCount)
      parts.append(
        try model.run(
          typed(
            inputs.mapValues { tensor in
              let size = tensor.shape[0] / sliceCount
              return tensor.rows(slice * size..<(slice + 1) * size)
            })))
    }
    var joined: [NamedTensor] = []
    for index in parts[0].indices {
      let name = parts[0][index].name
      guard let tensor = Tensor.joiningRows(parts.map { $0[index].tensor }) else {
        throw CommandError(
          .usage,
          "output '\(name)' has no batch dimension; give inputs of exactly the model's shape")
      }
      joined.append(NamedTensor(name: name, tensor: tensor))
    }
    return joined
  }

  private func typed(_ inputs: [String: Tensor]) throws(CommandError) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for port in model.inputs {
      guard let tensor = inputs[port.name] else { continue }
      guard let converted = tensor.converted(to: port.elementType) else {
        throw CommandError(
          .usage,
          "input '\(port.name)': elements of type \(tensor.elementType.rawValue) are not "
            + "\(port.elementType.rawValue); convert the file")
      }
      result[port.name] = converted
    }
    return result
  }
}
