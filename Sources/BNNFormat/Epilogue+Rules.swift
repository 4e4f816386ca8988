import BNNTensor

extension Epilogue {
  /// Checks the parameters and operands against the dimensions that the core makes.
  func check(
    result: [Dimension], operands: ArraySlice<PhysicalType>, integerAccumulator: Bool
  ) throws(FormatError.Rule) {
    guard let last = result.last, case .fixed(let channels) = last else {
      // A scalar or a plain list of the batch has one channel.
      return try check(
        channels: 1, result: result, operands: operands, integerAccumulator: integerAccumulator)
    }
    try check(
      channels: channels, result: result, operands: operands,
      integerAccumulator: integerAccumulator)
  }

  private func check(
    channels: Int, result: [Dimension], operands: ArraySlice<PhysicalType>,
    integerAccumulator: Bool
  ) throws(FormatError.Rule) {
    var used = 0
    for step in steps {
      try step.check(channels: channels)
      guard let operand = step.operand else { continue }
      guard operand >= 0, operand < operands.count else {
        throw .operandCount(
          expected: operand < Int.max - 1 ? operand + 2 : .max,
          found: operands.count + 1)
      }
      used = max(used, operand + 1)
      try operands[operands.startIndex + operand].checkBroadcast(to: result)
    }
    guard used == operands.count else {
      throw .operandCount(expected: used + 1, found: operands.count + 1)
    }
    switch output {
    case .values: break
    case .bits(let thresholds), .valuesAndBits(let thresholds):
      try checkParameters(thresholds.count, channels: channels)
      guard !(thresholds.lower + thresholds.upper).contains(where: \.isNaN) else {
        throw .boundIsNaN
      }
    case .accumulatorBits(let thresholds):
      guard integerAccumulator, steps.isEmpty else { throw .accumulatorBits }
      try checkParameters(thresholds.count, channels: channels)
    }
    if output != .values, result.isEmpty { throw .operandRank(expected: 1, found: 0) }
  }
}

extension PointwiseStep {
  /// The index of the epilogue operand that the step reads.
  fileprivate var operand: Int? {
    switch self {
    case .add(let operand), .multiply(let operand): operand
    case .affine, .slopes, .clamp, .function: nil
    }
  }

  fileprivate func check(channels: Int) throws(FormatError.Rule) {
    switch self {
    case .affine(let a, let b), .slopes(let a, let b):
      try checkParameters(a.count, channels: channels)
      try checkParameters(b.count, channels: channels)
    case .clamp(let lower, let upper):
      guard !lower.isNaN, !upper.isNaN else { throw .boundIsNaN }
    case .function, .add, .multiply: break
    }
  }
}

extension PhysicalType {
  /// NumPy's rule, but the result's dimensions stay as they are.
  fileprivate func checkBroadcast(to result: [Dimension]) throws(FormatError.Rule) {
    guard elementType == .float32 else {
      throw .operandType(expected: .float32, found: elementType)
    }
    guard dimensions.count <= result.count,
      zip(dimensions.reversed(), result.reversed()).allSatisfy({ $0 == $1 || $0 == .fixed(1) })
    else { throw .broadcast(operand: dimensions, result: result) }
  }
}
