import BNNTensor

/// For each output of a layer the line that gives the sums with its old weights from those with new
/// ones, by least squares: old ≈ slope · new + offset.
struct SumFit {
  private var count = 0.0
  private var moments: [Moments]

  private struct Moments {
    var (old, new) = (0.0, 0.0)
    var (oldOld, oldNew, newNew) = (0.0, 0.0, 0.0)
  }

  init(outputs: Int) { moments = [Moments](repeating: Moments(), count: outputs) }

  /// - Parameters: sums [N, O, …].
  mutating func add(old: Tensor, new: Tensor) {
    let positions = old.shape.dimensions.dropFirst(2).reduce(1, *)
    guard positions > 0, !moments.isEmpty else { return }
    for (place, (a, b)) in zip(old.floats, new.floats).enumerated() {
      let output = place / positions % moments.count
      let (a, b) = (Double(a), Double(b))
      moments[output].old += a
      moments[output].new += b
      moments[output].oldOld += a * a
      moments[output].oldNew += a * b
      moments[output].newNew += b * b
    }
    count += Double(old.count / moments.count)
  }

  /// The line of an output. A slope that is not clearly positive, because old and new have nothing to
  /// do with each other, is 1.
  func line(_ output: Int) -> (slope: Double, offset: Double) {
    guard count > 0 else { return (1, 0) }
    let sums = moments[output]
    let covariance = sums.oldNew - sums.old * sums.new / count
    let variance = sums.newNew - sums.new * sums.new / count
    var slope = variance > 0 ? covariance / variance : 1
    if !(slope > 1.0 / 16) { slope = 1 }
    return (slope, (sums.old - slope * sums.new) / count)
  }

  /// The energy of what the lines leave against that of the old sums.
  ///
  /// - Parameter importance: what outputs count.
  func error(_ importance: [Double]) -> Double {
    var (change, energy) = (0.0, 0.0)
    for (output, sums) in moments.enumerated() {
      let (slope, offset) = line(output)
      let rest =
        sums.oldOld + slope * slope * sums.newNew + offset * offset * count
        - 2 * slope * sums.oldNew - 2 * offset * sums.old + 2 * slope * offset * sums.new
      change += importance[output] * max(0, rest)
      energy += importance[output] * sums.oldOld
    }
    return energy > 0 ? change / energy : 0
  }

  var outputs: Int { moments.count }
}

extension Epilogue {
  /// The epilogue for new sums that does with them what this one does with old ones.
  func reading(_ fit: SumFit) -> Epilogue {
    var result = self
    let lines = (0..<fit.outputs).map { fit.line($0) }
    if case .accumulatorBits(let thresholds) = output {
      result.output = .accumulatorBits(thresholds.reading(lines))
    } else if case .affine(let scale, let bias)? = steps.first {
      // (a · new + b) · scale + bias.
      let factors = lines.indices.map { scale.count == 1 ? scale[0] : scale[$0] }
      let terms = lines.indices.map { bias.count == 1 ? bias[0] : bias[$0] }
      result.steps[0] = .affine(
        scale: zip(factors, lines).map { Float(Double($0) * $1.slope) },
        bias: zip(zip(factors, terms), lines).map { Float(Double($0.0) * $1.offset + Double($0.1)) }
      )
    } else {
      result.steps.insert(
        .affine(scale: lines.map { Float($0.slope) }, bias: lines.map { Float($0.offset) }), at: 0)
    }
    return result
  }
}

extension Thresholds<Int32> {
  /// The intervals of new sums whose old ones lie in these.
  fileprivate func reading(_ lines: [(slope: Double, offset: Double)]) -> Thresholds {
    let entries = lines.indices.map { count == 1 ? 0 : $0 }
    func bound(_ old: Int32, _ line: (slope: Double, offset: Double), up: Bool) -> Int32 {
      // What no sum reaches stays out of reach.
      guard old != .min, old != .max else { return old }
      let new = (Double(old) - line.offset) / line.slope
      return Int32(clamping: Int64(saturating: new.rounded(up ? .up : .down)))
    }
    return Thresholds(
      lower: zip(entries, lines).map { bound(lower[$0], $1, up: true) },
      upper: zip(entries, lines).map { bound(upper[$0], $1, up: false) },
      insideIsPlus: entries.map { insideIsPlus[$0] })
  }
}
