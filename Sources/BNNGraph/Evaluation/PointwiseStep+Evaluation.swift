import BNNTensor

extension PointwiseStep {
  /// Checks the step's parameters and its operand for a value of a shape.
  func check(shape: Shape, operands: [OperandFact?], firstInput: Int) throws(OperatorError) {
    let layout = ChannelLayout(shape)
    switch self {
    case .affine(let a, let b), .slopes(let a, let b):
      guard a.count == b.count, layout.fits(a.count) else {
        throw .invalidAttribute(
          name: "steps", value: "\(a.count) and \(b.count) parameters",
          expected: "1 or \(layout.channels)")
      }
    case .clamp, .function: break
    case .add(let index), .multiply(let index):
      guard index >= 0, index < 1 << 20 else {
        throw .invalidAttribute(name: "operand", value: "\(index)", expected: "an operand")
      }
      guard let operand = operands.optional(index) else {
        throw .missingInput(index: firstInput + index)
      }
      guard operand.elementType == .float32 else {
        throw .wrongElementType(input: firstInput + index, found: operand.elementType)
      }
      let aligned = PointwiseStep.aligned(operand.shape, to: shape)
      guard shape.broadcast(with: aligned) == shape else {
        throw .shapeMismatch(
          input: firstInput + index, expected: "broadcastable to \(shape)", found: operand.shape)
      }
    }
  }

  /// Applies a checked step to every element.
  func apply(to x: inout [Float], shape: Shape, operands: [Tensor?]) {
    switch self {
    case .affine(let scale, let bias):
      forEachChannel(shape, &x, scale, bias) { x, scale, bias in x * scale + bias }
    case .slopes(let positive, let negative):
      forEachChannel(shape, &x, positive, negative) { x, positive, negative in
        x < 0 ? negative * x : positive * x
      }
    case .clamp(let lower, let upper):
      x = x.map { propagatingMinimum(propagatingMaximum($0, lower), upper) }
    case .function(let function): x = function.applied(to: x)
    case .add(let index): combine(&x, shape, operands.optional(index)) { $0 + $1 }
    case .multiply(let index): combine(&x, shape, operands.optional(index)) { $0 * $1 }
    }
  }

  /// The shape of an operand beside a value: [N, C] stands for one number per image and channel.
  private static func aligned(_ operand: Shape, to shape: Shape) -> Shape {
    guard operand.rank == 2, shape.rank > 2 else { return operand }
    return Shape(operand.dimensions + [Int](repeating: 1, count: shape.rank - 2))
  }

  private func combine(
    _ x: inout [Float], _ shape: Shape, _ operand: Tensor?, _ body: (Float, Float) -> Float
  ) {
    guard let operand else { return }
    let aligned = PointwiseStep.aligned(operand.shape, to: shape)
    x = BroadcastPlan(shape, aligned, result: shape).map(x, operand.floats, body)
  }

  /// Two parameters per channel, or two for all.
  private func forEachChannel(
    _ shape: Shape, _ x: inout [Float], _ first: [Float], _ second: [Float],
    _ body: (Float, Float, Float) -> Float
  ) {
    ChannelLayout(shape).forEachRun { channel, run in
      let index = first.count == 1 ? 0 : channel
      let (a, b) = (first[index], second[index])
      for element in run { x[element] = body(x[element], a, b) }
    }
  }
}
