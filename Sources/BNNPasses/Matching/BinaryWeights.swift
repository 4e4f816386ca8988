import BNNTensor

/// Weights of few values: per output channel a scale times signs plus an offset, and perhaps
/// weights of 0 among them.
struct BinaryWeights {
  /// ±1, and +1 where a weight is 0.
  var signs: Tensor
  /// One number per output channel.
  var scales: [Float]
  /// One number per output channel, 0 except where the channel has two values that are not ±α.
  var offsets: [Float]
  /// The indices of single weights of 0, ascending.
  var zeros: [Int]
  /// The largest relative distance of a weight from what is written in its place.
  var residue: Float

  /// How far magnitudes of one channel may be apart, relative to their mean.
  static let residueLimit: Float = 1e-4

  /// In a channel with fewer weights, two values are no sign of a binary domain.
  static let pairLimit = 8

  /// Why weights are not of that form.
  struct Refusal: Error {
    var text: String
  }

  /// Whether scales are all there is beside the signs.
  var isPlain: Bool { zeros.isEmpty && offsets.allSatisfy { $0 == 0 } }

  init?(of weights: Tensor) {
    guard let found = try? BinaryWeights(reading: weights) else { return nil }
    self = found
  }

  /// - Parameter weights: [O, …].
  init(reading weights: Tensor) throws(Refusal) {
    let floats = weights.floats
    let channels = weights.shape.dimensions.first ?? 0
    guard channels > 0, !floats.isEmpty else { throw Refusal(text: "it has no weights") }
    let each = floats.count / channels
    (scales, offsets, zeros, residue) = ([], [], [], 0)
    var elements = [Float](repeating: 1, count: floats.count)
    // The two values of the whole layer, as long as there are no others.
    let layer = each < BinaryWeights.pairLimit ? Pair(floats[...]) : nil
    for channel in 0..<channels {
      let range = channel * each..<(channel + 1) * each
      let row = floats[range]
      let form = try ChannelForm(row, channel: channel, mayBePair: each >= Self.pairLimit, layer)
      scales.append(form.scale)
      offsets.append(form.offset)
      residue = max(residue, form.residue)
      if form.hasZeros { zeros += range.filter { floats[$0] == 0 } }
      // Without a branch, which no CPU could predict.
      for index in range { elements[index] = floats[index] < form.offset ? -1 : 1 }
    }
    signs = Tensor(elements, shape: weights.shape)
  }

  /// The output channels with weights of 0, ascending.
  var channelsWithZeros: [Int] {
    let each = signs.count / max(scales.count, 1)
    var channels: [Int] = []
    for index in zeros where channels.last != index / each { channels.append(index / each) }
    return channels
  }
}

/// Two numbers that all of some weights are, up to the residue.
private struct Pair {
  var low: Float
  var high: Float
  var residue: Float

  init?(_ row: ArraySlice<Float>) {
    guard let low = row.min(), let high = row.max(), low < high, low.isFinite, high.isFinite else {
      return nil
    }
    var sums = (0.0, 0.0)
    var counts = (0, 0)
    var distance: Float = 0
    for weight in row {
      if weight - low < high - weight {
        sums.0 += Double(weight)
        counts.0 += 1
        distance = max(distance, weight - low)
      } else {
        sums.1 += Double(weight)
        counts.1 += 1
        distance = max(distance, high - weight)
      }
    }
    residue = distance / (high - low)
    guard counts.0 > 0, counts.1 > 0, residue <= BinaryWeights.residueLimit else { return nil }
    self.low = Float(sums.0 / Double(counts.0))
    self.high = Float(sums.1 / Double(counts.1))
  }
}

/// What the weights of one output channel are.
private struct ChannelForm {
  var scale: Float
  var offset: Float = 0
  var residue: Float = 0
  var hasZeros = false

  init(
    _ row: ArraySlice<Float>, channel: Int, mayBePair: Bool, _ layer: Pair?
  ) throws(BinaryWeights.Refusal) {
    var sum = 0.0
    var (smallest, largest, zeros) = (Float.infinity, Float(0), 0)
    for weight in row {
      let magnitude = abs(weight)
      guard magnitude.isFinite else {
        throw .init(text: "output channel \(channel) has a weight that is not finite")
      }
      sum += Double(magnitude)
      largest = max(largest, magnitude)
      if magnitude == 0 { zeros += 1 } else { smallest = min(smallest, magnitude) }
    }
    let nonzero = row.count - zeros
    // A channel of zeros is 0 times signs.
    guard nonzero > 0 else {
      scale = 0
      return
    }
    let mean = smallest == largest ? largest : Float(sum / Double(nonzero))
    let distance = max(largest - mean, mean - smallest) / mean
    if zeros == 0, distance <= BinaryWeights.residueLimit {
      (scale, residue) = (mean, distance)
    } else if let pair = mayBePair ? Pair(row) : layer {
      scale = pair.high / 2 - pair.low / 2
      offset = pair.low / 2 + pair.high / 2
      residue = pair.residue
    } else if distance <= BinaryWeights.residueLimit {
      (scale, residue, hasZeros) = (mean, distance, true)
    } else {
      let count = Set(row.map { abs($0) }).count
      throw .init(
        text: "its weights are not ±α: output channel \(channel) has \(count) magnitudes")
    }
  }
}
