/// Binary weights for one layer, and how far they are from the real ones.
struct LayerFit {
  var approximation: BinaryApproximation
  /// What is added to each output; empty where nothing is.
  var bias: [Float] = []
  var objective: BinarizationFinding.Objective
  /// The objective where the method begins and where it ends, as parts of that of weights of 0.
  var before: Double
  var after: Double

  /// Why a layer cannot be fitted.
  struct Refusal: Error {
    var text: String
  }
}

/// The real weights of a layer and what to do with them.
struct LayerProblem {
  var method: BinarizationMethod
  /// [outputs, n], row-major.
  var weights: [Float]
  var outputs: Int
  var groups: Int

  /// n.
  private var each: Int { weights.count / outputs }

  /// The signs of the weights with the scales that the method can give them; plain ones for the
  /// methods that do nothing but that.
  private var start: BinaryApproximation {
    switch method {
    case .sign, .xnor: BinaryApproximation(of: weights, outputs: outputs, method: .sign)
    // One scale for the layer.
    case .general: BinaryApproximation(of: weights, outputs: 1, method: .xnor)
    case .leastSquares, .qubo, .bilinear, .residual:
      BinaryApproximation(of: weights, outputs: outputs, method: .xnor)
    }
  }

  /// Looks at nothing but weights. Methods that need more stay at their start.
  func fit() -> LayerFit {
    let approximation = BinaryApproximation(of: weights, outputs: outputs, method: method)
    let zero = weights.reduce(0) { $0 + Double($1) * Double($1) }
    func error(_ other: BinaryApproximation) -> Double {
      let sum = zip(weights, other.weights).reduce(0) {
        let difference = Double($1.0) - Double($1.1)
        return $0 + difference * difference
      }
      return zero > 0 ? sum / zero : 0
    }
    return LayerFit(
      approximation: approximation, objective: .weightError, before: error(start),
      after: error(approximation))
  }

  /// Looks at what the layer reads and should give.
  ///
  /// - Parameters:
  ///   - signTaps: the taps of the window if the inputs are signs; nil for real ones.
  ///   - refits: whether the inputs were made signs: the layer then gets a bias per output and,
  ///     where the method has not chosen its scales on the data, a factor, both the least squares.
  func fit(
    to sample: LayerSample, signTaps: Int?, refits: Bool
  ) throws(LayerFit.Refusal) -> LayerFit {
    var fitted = FittedWeights(
      approximation: BinaryApproximation(of: weights, outputs: outputs, method: method),
      start: start.weights)
    let size = outputs / groups
    for group in 0..<groups {
      let range = group * size * each..<(group + 1) * size * each
      let statistics = LayerStatistics(
        rows: sample.rows(of: group), targets: sample.targets(of: group),
        weights: Array(weights[range]), n: each, outputs: size, signTaps: signTaps,
        fitsBias: refits)
      guard statistics.isFinite else {
        throw .init(text: "on the calibration data it reads or gives numbers that are not finite")
      }
      fitted.add(statistics, range, method)
    }
    return fitted.result(refits: refits, hasFactor: refits && !method.needsCalibration)
  }
}

/// The weights of the groups that have been fitted so far.
private struct FittedWeights {
  var approximation: BinaryApproximation
  /// Where the method begins.
  let start: [Float]
  private var before = LayerStatistics.ErrorTerms()
  private var after = LayerStatistics.ErrorTerms()
  /// Per output the mean that is wanted, and the one that the weights give.
  private var means: [(wanted: Double, found: Double)] = []

  init(approximation: BinaryApproximation, start: [Float]) {
    (self.approximation, self.start) = (approximation, start)
  }

  /// Fits the weights of one group.
  mutating func add(
    _ statistics: LayerStatistics, _ range: Range<Int>, _ method: BinarizationMethod
  ) {
    let each = statistics.n
    let first = Array(start[range])
    let startTerms = statistics.errorTerms(of: first)
    if method.needsCalibration {
      approximation.bases[0].replaceSubrange(
        range, with: statistics.scaledSigns(from: first, method))
    }
    var rows = Array(approximation.weights[range])
    var terms = statistics.errorTerms(of: rows)
    for output in terms.indices {
      // What rounding made of a search that found nothing.
      if method.needsCalibration, terms[output].error() > startTerms[output].error() {
        let row = output * each..<(output + 1) * each
        rows.replaceSubrange(row, with: first[row])
        let target = range.lowerBound + row.lowerBound..<range.lowerBound + row.upperBound
        approximation.bases[0].replaceSubrange(target, with: first[row])
        terms[output] = startTerms[output]
      }
      before += startTerms[output]
      after += terms[output]
      let found = statistics.mean(of: rows[output * each..<(output + 1) * each])
      means.append((statistics.targetMeans[output], found))
    }
  }

  func result(refits: Bool, hasFactor: Bool) -> LayerFit {
    let factor = hasFactor ? Float(after.bestFactor) : 1
    let startFactor = hasFactor ? before.bestFactor : 1
    func part(_ error: Double) -> Double {
      after.constant > 0 ? max(0, error) / after.constant : 0
    }
    return LayerFit(
      approximation: hasFactor ? approximation.scaled(by: factor) : approximation,
      bias: refits ? means.map { Float($0.wanted - Double(factor) * $0.found) } : [],
      objective: .outputError, before: part(before.error(factor: startFactor)),
      after: part(after.error(factor: Double(factor))))
  }
}

extension LayerStatistics {
  /// ±α in every row, as a method that looks at outputs chooses them.
  ///
  /// - Parameter start: [outputs, n]; its signs are where the search begins.
  fileprivate func scaledSigns(from start: [Float], _ method: BinarizationMethod) -> [Float] {
    let signs: [Float] = start.map { $0 < 0 ? -1 : 1 }
    let fields = fields(of: signs)
    var result: [Float] = []
    result.reserveCapacity(start.count)
    gram.withUnsafeBufferPointer { gram in
      cross.withUnsafeBufferPointer { cross in
        guard let gram = gram.baseAddress, let cross = cross.baseAddress else { return }
        for output in 0..<outputs {
          let range = output * n..<(output + 1) * n
          var search = SignSearch(
            gram: gram, linear: cross + range.lowerBound, signs: Array(signs[range]),
            field: Array(fields[range]))
          switch method {
          case .qubo:
            search.descend()
            search.anneal(seed: UInt64(output))
          case .bilinear: search.alternate()
          default: break
          }
          let scale = Float(search.scale)
          result += search.signs.map { $0 * scale }
        }
      }
    }
    return result
  }
}
