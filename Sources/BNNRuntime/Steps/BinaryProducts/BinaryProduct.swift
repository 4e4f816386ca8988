import BNNTensor

/// The integer part of a binary convolution: the sums of products of ±1 under the window of each
/// output position.
protocol BinaryProduct: AnyObject {
  var kernelName: String { get }
  /// Bytes that each worker needs.
  var scratchBytes: Int { get }
  /// Writes a row of accumulators of all outputs for each position.
  func multiply(
    _ positions: Range<Int>, into accumulators: UnsafeMutablePointer<Int32>,
    scratch: UnsafeMutableRawPointer, _ execution: Execution)
}
