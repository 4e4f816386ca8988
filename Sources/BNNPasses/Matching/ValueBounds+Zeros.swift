import BNNGraph
import BNNTensor

extension ValueBounds {
  /// Operators alone tell too much: `p · Relu(x) − n · Relu(−x)` has parts that rest at 0, and does not
  /// itself. So what is computed from one other value is evaluated at some numbers.
  func restsAtZero(_ value: ValueID) throws(GraphError) -> Bool {
    guard mayRestAtZero(value) else { return false }
    let cones = ElementwiseCone.all(endingIn: value, of: graph, uses, sharing: true)
    for cone in cones {
      let rows = ValueBounds.samples.map { [Float](repeating: $0, count: cone.channels) }
      if try cone.evaluate(rows, in: graph).contains(where: { $0.contains(0) }) { return true }
    }
    return cones.last.map { mayRestAtZero($0.source) } ?? true
  }

  /// Of both signs and several magnitudes, and not where a function of simple constants is 0 by chance.
  private static let samples: [Float] = [
    0.0134762, 0.1139845, 0.3724571, 0.8327649, 1.713927, 4.291836, 23.71854, 311.9273,
  ]
  .flatMap { [$0, -$0] }

  private func mayRestAtZero(_ value: ValueID) -> Bool {
    resting.contains(value) || isZero(value)
  }

  func mayRestAtZero(_ node: Node) -> Bool {
    func operand(_ index: Int) -> Bool { node.input(index).map(mayRestAtZero) ?? false }
    switch node.op {
    case .elementwiseUnary(let unary):
      return unary.function.staysAtZero || unary.function.isZeroAtZero && operand(0)
    case .elementwiseBinary(let binary):
      switch binary.kind {
      case .add:
        if let choices = choicesOfMask(node) { return choices.contains(where: mayRestAtZero) }
        return operand(0) && operand(1)
      case .subtract: return operand(0) && operand(1)
      case .maximum, .minimum: return operand(0) || operand(1)
      // A constant of 0 is no activation: such channels are constant.
      case .multiply: return node.inputs.contains { $0.map(resting.contains) ?? false }
      case .divide, .power, .remainder: return operand(0)
      }
    case .clip: return operand(0) || operand(1) || operand(2)
    case .pRelu: return operand(0) || operand(1)
    case .select: return operand(1) || operand(2)
    case .cast:
      return operand(0) || node.input(0).flatMap { graph[$0].type?.elementType } == .bool
    case .pad(let pad):
      guard pad.mode == .constant else { return operand(0) }
      return operand(0) || node.input(2) == nil || operand(2)
    case .concat: return node.inputs.indices.contains(where: operand)
    case .pool, .reduce, .resize, .cumulativeSum, .reshape, .flatten, .transpose, .squeeze,
      .unsqueeze, .expand, .tile, .identity, .split, .slice, .gather, .gatherElements, .gatherND,
      .topK:
      return operand(0)
    default: return false
    }
  }

  /// a and b of `m · a + (1 − m) · b`.
  private func choicesOfMask(_ sum: Node) -> [ValueID]? {
    func inputs(_ value: ValueID?, of kind: BinaryFunction) -> [ValueID]? {
      guard let index = value.flatMap(uses.producer(of:)),
        case .elementwiseBinary(let binary) = graph.nodes[index].op, binary.kind == kind
      else { return nil }
      let inputs = graph.nodes[index].inputs.compactMap { $0 }
      return inputs.count == 2 ? inputs : nil
    }
    guard let first = inputs(sum.input(0), of: .multiply),
      let second = inputs(sum.input(1), of: .multiply)
    else { return nil }
    for (a, mask) in [(first[0], first[1]), (first[1], first[0])] {
      for (b, other) in [(second[0], second[1]), (second[1], second[0])] {
        for (mask, rest) in [(mask, other), (other, mask)] {
          guard let difference = inputs(rest, of: .subtract), difference[1] == mask,
            graph.scalar(difference[0]) == 1
          else { continue }
          return [a, b]
        }
      }
    }
    return nil
  }

  private func isZero(_ value: ValueID) -> Bool {
    guard let tensor = graph.constant(value), tensor.count <= ValueBounds.constantLimit,
      tensor.elementType.isFloatingPoint
    else { return false }
    return tensor.floats.allSatisfy { $0 == 0 }
  }
}

extension PointwiseFunction {
  /// Whether the result is 0 on a stretch of numbers.
  fileprivate var staysAtZero: Bool {
    switch self {
    case .relu, .hardSigmoid, .hardSwish, .floor, .ceiling, .roundHalfToEven: true
    case .leakyRelu(let alpha), .elu(let alpha): alpha == 0
    default: false
    }
  }

  fileprivate var isZeroAtZero: Bool {
    switch self {
    case .absolute, .negate, .squareRoot, .tanh, .erf, .softsign, .sign, .leakyRelu, .elu, .selu,
      .celu, .gelu, .sine, .tangent, .arcsine, .arctangent, .hyperbolicSine,
      .inverseHyperbolicSine, .inverseHyperbolicTangent:
      true
    default: false
    }
  }
}
