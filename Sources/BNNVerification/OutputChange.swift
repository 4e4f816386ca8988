import BNNFormat
import BNNRuntime
import BNNTensor

/// How far a network's outputs moved: the largest difference of each output over all inputs, as a
/// part of its largest magnitude.
public struct OutputChange: Hashable, Sendable {
  private var differences: [String: Double] = [:]
  private var magnitudes: [String: Double] = [:]
  private var same = 0
  private var rows = 0

  public init() {}

  /// Of two models with the same inputs and outputs.
  ///
  /// - Parameter runs: inputs by name.
  public init(
    from exact: BinaryModel, to model: BinaryModel, on runs: [[String: Tensor]]
  ) throws(RuntimeError) {
    let sessions = (try InferenceSession(exact), try InferenceSession(model))
    for run in runs {
      let found = try sessions.1.run(run)
      for (a, b) in zip(try sessions.0.run(run), found) { compare(a.name, a.tensor, b.tensor) }
    }
  }

  mutating func compare(_ name: String, _ reference: Tensor, _ found: Tensor) {
    guard reference.count == found.count else {
      return differences[name] = .infinity
    }
    var (difference, magnitude) = (differences[name] ?? 0, magnitudes[name] ?? 0)
    for (a, b) in zip(reference.floats, found.floats) {
      difference = max(difference, distance(a, b))
    }
    magnitude = max(magnitude, Double(reference.largest))
    (differences[name], magnitudes[name]) = (difference, magnitude)
    let agreement = agreement(reference, found)
    same += agreement.same
    rows += agreement.rows
  }

  /// The largest difference of any output, as a part of the output's largest magnitude.
  public var maximumError: Double {
    differences.reduce(0) { largest, entry in
      guard entry.value > 0 else { return largest }
      let magnitude = magnitudes[entry.key] ?? 0
      return max(largest, magnitude > 0 ? entry.value / magnitude : .infinity)
    }
  }

  /// The part of the rows whose largest output is at the same place; 1 without outputs.
  public var top1Agreement: Double { rows == 0 ? 1 : Double(same) / Double(rows) }
}
