import BNNGraph
import BNNTensor

/// The two levels per channel that the inputs of a layer are written with when they become signs:
/// x ≈ mean + distance · sign(x − threshold), the least squares on the calibration data.
struct InputLevels {
  /// One number per channel; x from there on is +1.
  private(set) var thresholds: [Float] = []
  /// Half of what lies between a channel's levels. Not 0: a channel that never changes keeps the
  /// signs of its weights.
  private(set) var distances: [Float] = []

  /// How many numbers of a channel are looked at.
  private static let limit = 1 << 14

  /// - Parameter inputs: [N, C, …] for each run.
  /// - Returns: nil where a number is not finite.
  init?(of inputs: [Tensor]) {
    let channels = inputs.first?.shape[1] ?? 0
    let plane = inputs.first?.shape.dimensions.dropFirst(2).reduce(1, *) ?? 0
    let entries = inputs.map { $0.shape[0] }
    let chosen = spreadIndices(of: entries.reduce(0, +) * plane, atMost: Self.limit)
    guard !chosen.isEmpty else { return nil }
    for channel in 0..<channels {
      var (run, before) = (0, 0)
      let numbers = chosen.map { index in
        while index - before >= entries[run] * plane {
          before += entries[run] * plane
          run += 1
        }
        let (entry, position) = (index - before).quotientAndRemainder(dividingBy: plane)
        return inputs[run].floats[(entry * channels + channel) * plane + position]
      }
      guard numbers.allSatisfy(\.isFinite) else { return nil }
      let means = TwoMeans(of: numbers)
      thresholds.append(means.boundary)
      distances.append(means.high / 2 - means.low / 2)
    }
    let least = max(1e-6 * (distances.max() ?? 0), .leastNormalMagnitude)
    distances = distances.map { max($0, least) }
  }

  var binarize: Binarize {
    Binarize(
      thresholds: Thresholds(
        lower: thresholds, upper: thresholds.map { _ in .infinity },
        insideIsPlus: thresholds.map { _ in true }))
  }

  /// What real weights [O, C / groups, kernel…] are for signs as inputs.
  func weights(_ weights: Tensor, groups: Int) -> [Float] {
    let (outputs, channels) = (weights.shape[0], weights.shape[1])
    let taps = weights.shape.dimensions.dropFirst(2).reduce(1, *)
    var result = weights.floats
    for output in 0..<outputs {
      let first = output / (outputs / groups) * channels
      for channel in 0..<channels {
        let start = (output * channels + channel) * taps
        for index in start..<start + taps { result[index] *= distances[first + channel] }
      }
    }
    return result
  }
}
