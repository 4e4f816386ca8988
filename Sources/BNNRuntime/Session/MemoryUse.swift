/// What a session's memory is used for, in bytes.
package struct MemoryUse: Hashable, Sendable {
  /// Weights in the layout of their kernels.
  package var weights: Int
  /// The values of a run.
  package var values: Int
  /// Parameters of the steps, and what each thread works with.
  package var steps: Int
}
