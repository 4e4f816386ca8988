import BNNFormat
import BNNTensor

extension BinaryModel {
  /// What is known of values' numbers whatever the model's inputs are, by value.
  package var knownRanges: [Int: ClosedRange<Float>] {
    var ranges: [Int: ClosedRange<Float>] = [:]
    for layer in layers {
      guard let output = layer.outputs.first else { continue }
      ranges[output] = layer.operation.knownRange(of: layer.inputs.map { ranges[$0] })
    }
    return ranges
  }
}

extension Operation {
  /// Of the first result, for operands of which ranges may be known.
  fileprivate func knownRange(of operands: [ClosedRange<Float>?]) -> ClosedRange<Float>? {
    switch self {
    case .unpack: return -1...1
    case .softmax(_, logarithm: false): return 0...1
    case .reshape, .transpose: return operands.first ?? nil
    case .concatenate:
      return operands.reduce(operands.first ?? nil) { joined, range in
        guard let joined, let range else { return nil }
        return min(joined.lowerBound, range.lowerBound)...max(joined.upperBound, range.upperBound)
      }
    case .pool(_, _, _, let epilogue) where epilogue.steps.isEmpty:
      // An average that counts padding is nearer to 0, which every range of bytes has.
      return operands.first ?? nil
    default: return epilogue?.steps.last?.knownRange
    }
  }
}

extension PointwiseStep {
  /// Of the results, whatever the operand.
  fileprivate var knownRange: ClosedRange<Float>? {
    switch self {
    case .clamp(let lower, let upper)
    where lower.isFinite && upper.isFinite && lower <= upper:
      return lower...upper
    case .function(.sigmoid), .function(.hardSigmoid): return 0...1
    case .function(.tanh), .function(.erf), .function(.softsign), .function(.sign),
      .function(.sine), .function(.cosine):
      return -1...1
    default: return nil
    }
  }
}
