import BNNGraph
import BNNTensor

/// What an operator of a description sees of one step: its keys and operands, and the means to add
/// nodes.
struct StepBuilder {
  let reader: JSONObjectReader
  let builder: ArchitectureBuilder
  let operands: [ValueID]
  let op: String

  func shape(_ value: ValueID) -> Shape { builder.shape(of: value) }

  /// Adds a node; named like the step's parameters where it has some, else like its operator.
  func apply(
    _ op: Op, _ inputs: [ValueID], name: String? = nil
  ) throws(ImportFault) -> ValueID {
    try builder.apply(op, inputs, name: name ?? self.op, path: reader.path)
  }

  func scalar(_ value: Float, _ label: String) -> ValueID {
    builder.constant(Tensor(scalar: value), name: "\(reader.path)/\(label)")
  }

  func integers(_ values: [Int], _ label: String) -> ValueID {
    builder.constant(
      Tensor(values.map { Int64($0) }, shape: [values.count]), name: "\(reader.path)/\(label)")
  }

  // MARK: Parameters

  /// The parameter that a key names.
  func parameter(_ key: String) throws(ImportFault) -> ValueID {
    try builder.parameter(
      try reader.required(key, try reader.string(key)), path: reader.path(of: key))
  }

  func optionalParameter(_ key: String) throws(ImportFault) -> ValueID? {
    guard let name = try reader.string(key) else { return nil }
    return try builder.parameter(name, path: reader.path(of: key))
  }

  /// A parameter with one number per channel (or one for all), shaped so that it broadcasts along
  /// axis 1 of the first operand.
  func channelParameter(_ key: String) throws(ImportFault) -> ValueID {
    let value = try parameter(key)
    let rank = shape(operands[0]).rank
    guard let tensor = builder.tensor(value), tensor.shape.rank == 1, rank > 2 else {
      return value
    }
    let shape = Shape([tensor.count] + [Int](repeating: 1, count: rank - 2))
    return builder.constant(tensor.reshaped(to: shape), name: builder.graph[value].name)
  }

  /// The weights of a layer, made binary as the step says, and the layer's name.
  func weights() throws(ImportFault) -> (ValueID, name: String) {
    let stored = try parameter("weights")
    let parameter = builder.graph[stored].name
    let name = parameter.hasSuffix(".weight") ? String(parameter.dropLast(7)) : parameter
    guard let spelling = try reader.string("binarize") else { return (stored, name) }
    let sign = try apply(unary(.sign), [stored], name: "\(name)/sign")
    switch spelling {
    case "sign": return (sign, name)
    case "sign_alpha":
      let magnitude = try apply(unary(.absolute), [stored], name: "\(name)/magnitude")
      let axes = integers(Array(1..<max(1, shape(stored).rank)), "axes")
      let alpha = try apply(
        .reduce(Reduce(kind: .mean)), [magnitude, axes], name: "\(name)/alpha")
      return (
        try apply(
          .elementwiseBinary(ElementwiseBinary(kind: .multiply)), [sign, alpha],
          name: "\(name)/scale"), name
      )
    default:
      throw reader.fault(
        .invalidValue(found: spelling, expected: "sign or sign_alpha"), key: "binarize")
    }
  }

  private func unary(_ function: PointwiseFunction) -> Op {
    .elementwiseUnary(ElementwiseUnary(function: function))
  }

  // MARK: Windows

  /// The window of a convolution or pool.
  func window(
    kernel: [Int], defaultStride: [Int]? = nil
  ) throws(ImportFault) -> WindowGeometry {
    let rank = kernel.count
    let limit = Int(Int32.max)
    let padding = try reader.integers("padding", in: 0...limit) ?? [0]
    let pads: [Int]
    switch padding.count {
    case 1: pads = [Int](repeating: padding[0], count: 2 * rank)
    case rank: pads = padding + padding
    case 2 * rank: pads = padding
    default:
      throw reader.fault(
        .wrongJSONType(expected: "1, \(rank) or \(2 * rank) integers"), key: "padding")
    }
    return WindowGeometry(
      kernel: kernel, strides: try perAxis("stride", rank: rank) ?? defaultStride,
      dilations: try perAxis("dilation", rank: rank), padsBegin: Array(pads.prefix(rank)),
      padsEnd: Array(pads.suffix(rank)))
  }

  /// A list of one integer per spatial axis; one integer stands for all.
  func perAxis(_ key: String, rank: Int) throws(ImportFault) -> [Int]? {
    guard let values = try reader.integers(key, in: 1...Int(Int32.max)) else { return nil }
    if values.count == 1 { return [Int](repeating: values[0], count: rank) }
    guard values.count == rank else {
      throw reader.fault(.wrongJSONType(expected: "1 or \(rank) integers"), key: key)
    }
    return values
  }
}
