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

  /// Of a model against recorded outputs of one with the same inputs and outputs.
  ///
  /// - Parameters:
  ///   - outputs: of the exact model, by name, for each run.
  ///   - runs: inputs by name; those beyond the recorded ones are not run.
  public init(
    from outputs: [[String: Tensor]], to model: BinaryModel, on runs: [[String: Tensor]]
  ) throws(RuntimeError) {
    let session = try InferenceSession(model)
    for (run, exact) in zip(runs, outputs) {
      for found in try session.run(run) {
        if let reference = exact[found.name] { compare(found.name, reference, found.tensor) }
      }
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
