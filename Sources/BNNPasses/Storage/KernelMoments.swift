import BNNTensor

/// The second moments of what the nine taps of a window see in each channel of a layer's input:
/// Σ x_a · x_b over all places.
struct KernelMoments {
  /// For each channel of the input 9×9 sums.
  private(set) var sums: [Double]
  private let channels: Int
  private var places = 0.0

  init(channels: Int) {
    self.channels = channels
    sums = [Double](repeating: 0, count: channels * 81)
  }

  /// - Parameter x: [N, C, H, W].
  mutating func add(_ x: Tensor, geometry: ConvolutionGeometry) {
    let window = geometry.window
    let outside = Double(geometry.padding.rawValue)
    let (height, width) = (x.shape[2], x.shape[3])
    let rows = places(height, window, axis: 0)
    let columns = places(width, window, axis: 1)
    let floats = x.floats
    var seen = [Double](repeating: 0, count: 9)
    for plane in 0..<x.shape[0] * channels {
      let base = plane % channels * 81
      let start = plane * height * width
      for row in rows {
        for column in columns {
          for tap in 0..<9 {
            let (y, z) = (row[tap / 3], column[tap % 3])
            seen[tap] = y < 0 || z < 0 ? outside : Double(floats[start + y * width + z])
          }
          for a in 0..<9 {
            for b in a..<9 { sums[base + a * 9 + b] += seen[a] * seen[b] }
          }
        }
      }
    }
    places += Double(x.shape[0] * rows.count * columns.count)
  }

  /// For each place of the result the three positions of the input that it sees, −1 outside.
  private func places(_ extent: Int, _ window: WindowGeometry, axis: Int) -> [[Int]] {
    let (stride, dilation) = (window.strides[axis], window.dilations[axis])
    let span = 2 * dilation + 1
    let room = extent + window.padsBegin[axis] + window.padsEnd[axis] - span
    guard room >= 0 else { return [] }
    return (0...room / stride).map { place in
      (0..<3).map { tap in
        let at = place * stride - window.padsBegin[axis] + tap * dilation
        return (0..<extent).contains(at) ? at : -1
      }
    }
  }

  /// The moments of some channels of the input together, as means.
  func mean(of channels: some Collection<Int>) -> [Float] {
    var result = [Float](repeating: 0, count: 81)
    let divisor = max(places * Double(channels.count), 1)
    for a in 0..<9 {
      for b in a..<9 {
        let sum = channels.reduce(0.0) { $0 + sums[$1 * 81 + a * 9 + b] }
        result[a * 9 + b] = Float(sum / divisor)
        result[b * 9 + a] = Float(sum / divisor)
      }
    }
    return result
  }
}
