import BNNGraph
import BNNTensor

/// What an operator of a description sees of one step: its keys and operands, and the means to add
/// nodes.
struct StepBuilder {
  let reader: JSONObjectReader
  let builder: ArchitectureBuilder
  let operands: [ValueID]
  let op: String

  static let limit = Int(Int32.max)

  func shape(_ value: ValueID) -> Shape { builder.shape(of: value) }

  /// The channels of the first operand.
  var channels: Int {
    let shape = operands.first.map(shape) ?? []
    return shape.rank > 1 ? shape[1] : shape.rank == 1 ? shape[0] : 1
  }

  /// Adds a node; named like the step's parameters where it has some, else like its operator.
  func apply(
    _ op: Op, _ inputs: [ValueID], name: String? = nil
  ) throws(ImportFault) -> ValueID {
    try builder.apply(op, inputs, name: name ?? self.op, at: reader.place)
  }

  func scalar(_ value: Float, _ label: String) -> ValueID {
    builder.constant(Tensor(scalar: value), name: "\(reader.place.path)/\(label)")
  }

  func integers(_ values: [Int], _ label: String) -> ValueID {
    builder.constant(
      Tensor(values.map { Int64($0) }, shape: [values.count]),
      name: "\(reader.place.path)/\(label)")
  }

  // MARK: Parameters

  /// The parameter that a key names, or that one of the names under the key is.
  ///
  /// - Parameter shapes: those that it may have.
  func parameter(_ key: String, shapes: [[Int]]?) throws(ImportFault) -> ValueID {
    let names = try reader.required(key, try reader.strings(key))
    return try builder.parameter(names, shapes: shapes, at: reader.place(of: key))
  }

  func optionalParameter(_ key: String, shapes: [[Int]]?) throws(ImportFault) -> ValueID? {
    try reader.strings(key) == nil ? nil : try parameter(key, shapes: shapes)
  }

  /// A parameter with one number per channel (or one for all), shaped so that it broadcasts along
  /// axis 1 of the first operand.
  func channelParameter(_ key: String) throws(ImportFault) -> ValueID {
    let spatial = max(0, (operands.first.map(shape) ?? []).rank - 2)
    let ones = [Int](repeating: 1, count: spatial)
    return try parameter(key, shapes: [[channels] + ones, [1] + ones])
  }

  /// The weights of a layer, made binary as the step says, and the layer's name. They are the
  /// second operand where there is one.
  ///
  /// - Parameter shape: what they must have, if the step says it.
  func weights(shape: [Int]?) throws(ImportFault) -> (ValueID, name: String) {
    if operands.count == 2 {
      return (operands[1], builder.layer(of: operands[1]) ?? op)
    }
    let stored = try parameter("weights", shapes: shape.map { [$0] })
    let name = builder.layer(of: stored) ?? op
    guard let spelling = try reader.string("binarize") else { return (stored, name) }
    let sign = try apply(unary(.sign), [stored], name: "\(name)/sign")
    switch spelling {
    case "sign": return (sign, name)
    case "sign_alpha":
      let magnitude = try apply(unary(.absolute), [stored], name: "\(name)/magnitude")
      let axes = integers(Array(1..<max(1, self.shape(stored).rank)), "axes")
      let alpha = try apply(
        .reduce(Reduce(kind: .mean)), [magnitude, axes], name: "\(name)/alpha")
      let scaled = try apply(
        .elementwiseBinary(ElementwiseBinary(kind: .multiply)), [sign, alpha],
        name: "\(name)/scale")
      return (scaled, name)
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
    let padding = try reader.integers("padding", in: 0...Self.limit) ?? [0]
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
    guard let values = try reader.integers(key, in: 1...Self.limit) else { return nil }
    if values.count == 1 { return [Int](repeating: values[0], count: rank) }
    guard values.count == rank else {
      throw reader.fault(.wrongJSONType(expected: "1 or \(rank) integers"), key: key)
    }
    return values
  }
}
