import BNNTensor

extension Epilogue {
  /// Whether the steps make less of more, by channel or for all, where they keep the order of numbers:
  /// a maximum may then be taken before them, or a minimum where they fall.
  ///
  /// Rounded products with numbers that are neither 0 nor NaN and rounded sums are monotone, infinite
  /// numbers stay infinite, and NaN comes of NaN only. No −0 is added, so that numbers that become equal
  /// have the same sign, too; so have those that ReLU or a clamp makes equal.
  ///
  /// - Parameter allowsBounds: whether steps may make an infinite number finite, as they would the
  ///   maximum of windows that see nothing.
  /// - Returns: nil where that is not known.
  func monotoneChannels(allowsBounds: Bool) -> [Bool]? {
    var falls = [false]
    for step in steps {
      switch step {
      case .function(.relu) where allowsBounds: continue
      case .clamp(let lower, let upper) where allowsBounds && lower <= upper: continue
      case .affine(let scale, let bias):
        guard scale.allSatisfy({ $0.isFinite && $0 != 0 }),
          bias.allSatisfy({ $0.isFinite && ($0 != 0 || $0.sign == .plus) })
        else { return nil }
        let count = max(falls.count, scale.count)
        guard [1, count].contains(falls.count), [1, count].contains(scale.count)
        else { return nil }
        falls = (0..<count).map {
          falls[falls.count == 1 ? 0 : $0] != (scale[scale.count == 1 ? 0 : $0] < 0)
        }
      default: return nil
      }
    }
    return falls
  }
}
