import BNNGraph
import BNNTensor

extension Graph {
  /// The values whose last bit may decide what comes out, because element by element a function
  /// with jumps follows: a rounding, a comparison, a cast to integers.
  ///
  /// Signs are not meant: what lies on their thresholds up to rounding is a matter of their own.
  func valuesBeforeJumps() -> Set<ValueID> {
    var result: Set<ValueID> = []
    // Users come after what they use.
    for node in nodes.reversed() {
      let operands =
        if node.hasJumps {
          node.inputs.compactMap { $0 }
        } else if node.outputs.contains(where: result.contains) {
          node.elementwiseInputs
        } else {
          [ValueID]()
        }
      result.formUnion(operands)
    }
    return result
  }
}

extension Node {
  /// Whether a small change of an operand may change the result much.
  fileprivate var hasJumps: Bool {
    switch op {
    case .comparison: true
    case .cast(let cast): !cast.to.isFloatingPoint
    case .elementwiseBinary(let binary): binary.kind == .remainder
    case .elementwiseUnary(let unary):
      [.roundHalfToEven, .floor, .ceiling, .sign].contains(unary.function)
    default: false
    }
  }

  /// The operands whose elements the result is made of one by one.
  fileprivate var elementwiseInputs: [ValueID] {
    switch op {
    case .elementwiseUnary, .elementwiseBinary, .select, .clip, .cast, .pRelu,
      .batchNormalization:
      return inputs.compactMap { $0 }
    case .block(let block) where block.core == .pointwise: return inputs.compactMap { $0 }
    case .pool(let pool) where pool.kind == .maximum: return inputs.compactMap { $0 }
    default: return movedInputs
    }
  }
}
