/// The two numbers that some numbers are nearest to: the exact solution of 2-means on a line.
///
/// The clusters of an optimal solution are intervals, so that they are found among the splits of
/// the sorted numbers. With prefix sums S the squared error of a split after k of N numbers is
/// Σx² − S_k²/k − (S_N − S_k)²/(N − k).
struct TwoMeans {
  var low: Float
  var high: Float
  /// Numbers from here on are nearer to `high`. Greater than every number of the lower cluster.
  var boundary: Float

  /// - Parameter numbers: at least one, all finite.
  init(of numbers: [Float]) {
    let sorted = numbers.sorted()
    let total = sorted.reduce(0) { $0 + Double($1) }
    let count = Double(sorted.count)
    var (best, split) = (-Double.infinity, 0)
    var sums = (low: 0.0, atSplit: 0.0)
    for k in sorted.indices.dropFirst() {
      sums.low += Double(sorted[k - 1])
      guard sorted[k - 1] < sorted[k] else { continue }
      let rest = total - sums.low
      let gain = sums.low * sums.low / Double(k) + rest * rest / (count - Double(k))
      if gain > best { (best, split, sums.atSplit) = (gain, k, sums.low) }
    }
    guard split > 0 else {
      (low, high, boundary) = (sorted[0], sorted[0], sorted[0])
      return
    }
    low = Float(sums.atSplit / Double(split))
    high = Float((total - sums.atSplit) / (count - Double(split)))
    let middle = sorted[split - 1] / 2 + sorted[split] / 2
    boundary = middle > sorted[split - 1] ? middle : sorted[split]
  }
}
