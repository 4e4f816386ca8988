import BNNTensor

extension Epilogue {
  /// Whether the steps make less of more, by channel or for all, where they keep the order of numbers:
  /// a maximum may then be taken before them, or a minimum where they fall.
  ///
  /// Rounded products with numbers that are neither 0 nor NaN and rounded sums are monotone, infinite
  /// numbers stay infinite, and NaN comes of NaN only. No −0 is added, so that numbers that become equal
  /// have the same sign, too.
  ///
  /// - Returns: nil where that is not known.
  var monotoneChannels: [Bool]? {
    var falls = [false]
    for step in steps {
      guard case .affine(let scale, let bias) = step,
        scale.allSatisfy({ $0.isFinite && $0 != 0 }),
        bias.allSatisfy({ $0.isFinite && ($0 != 0 || $0.sign == .plus) })
      else { return nil }
      let count = max(falls.count, scale.count)
      guard [1, count].contains(falls.count), [1, count].contains(scale.count) else { return nil }
      falls = (0..<count).map {
        falls[falls.count == 1 ? 0 : $0] != (scale[scale.count == 1 ? 0 : $0] < 0)
      }
    }
    return falls
  }
}
