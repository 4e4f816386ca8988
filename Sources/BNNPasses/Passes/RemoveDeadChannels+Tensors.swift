import BNNTensor

extension Tensor {
  /// The tensor with some positions of an axis only, in order.
  func selecting(_ positions: [Int], axis: Int) -> Tensor {
    let outer = shape.dimensions[..<axis].reduce(1, *)
    let inner = shape.dimensions[(axis + 1)...].reduce(1, *)
    let extent = shape[axis]
    var dimensions = shape.dimensions
    dimensions[axis] = positions.count
    let source = { (index: Int) in
      let (rest, place) = index.quotientAndRemainder(dividingBy: inner)
      let (before, position) = rest.quotientAndRemainder(dividingBy: positions.count)
      return (before * extent + positions[position]) * inner + place
    }
    if let packed { return Tensor(PackedTensor(shape: Shape(dimensions)) { packed[source($0)] }) }
    let numbers = floats
    return Tensor(
      (0..<outer * positions.count * inner).map { numbers[source($0)] }, shape: Shape(dimensions))
  }

  /// Whether all weights [O, C, …] of an input channel are 0.
  func isZero(channel: Int) -> Bool {
    let inner = shape.dimensions.dropFirst(2).reduce(1, *)
    let numbers = floats
    return (0..<shape[0]).allSatisfy { output in
      let start = (output * shape[1] + channel) * inner
      return numbers[start..<start + inner].allSatisfy { $0 == 0 }
    }
  }
}

extension PackedTensor {
  /// What constant channels of the input add to each output of weights [O, …, C].
  ///
  /// - Parameter bits: of the channels.
  func sums(of bits: [Int: Bool]) -> [Int32] {
    let outputs = shape[0]
    let channels = shape.dimensions.last ?? 1
    let taps = count / max(outputs * channels, 1)
    return (0..<outputs).map { output in
      bits.reduce(into: Int32(0)) { sum, entry in
        for tap in 0..<taps {
          sum += self[(output * taps + tap) * channels + entry.key] == entry.value ? 1 : -1
        }
      }
    }
  }
}

extension Epilogue {
  /// The epilogue of some of the channels.
  func keeping(_ kept: [Int], of channels: Int) -> Epilogue {
    var result = self
    result.steps = steps.map { step in
      switch step {
      case .affine(let scale, let bias):
        .affine(scale: scale.keeping(kept), bias: bias.keeping(kept))
      case .slopes(let positive, let negative):
        .slopes(positive: positive.keeping(kept), negative: negative.keeping(kept))
      case .clamp, .function, .add, .multiply: step
      }
    }
    switch output {
    case .values: break
    case .bits(let thresholds): result.output = .bits(thresholds.keeping(kept))
    case .valuesAndBits(let thresholds): result.output = .valuesAndBits(thresholds.keeping(kept))
    case .accumulatorBits(let thresholds):
      result.output = .accumulatorBits(thresholds.keeping(kept))
    }
    return result
  }

  /// The same results for sums to which something is still to be added.
  ///
  /// - Parameter sums: one integer per output.
  func adding(_ sums: [Int32]) -> Epilogue {
    guard sums.contains(where: { $0 != 0 }) else { return self }
    var result = self
    guard case .accumulatorBits(let thresholds) = output else {
      // Integers of this size are exact in float32, so that the next step gets the very same number.
      result.steps.insert(
        .affine(scale: sums.map { _ in 1 }, bias: sums.map(Float.init)), at: 0)
      return result
    }
    let lists = sums.indices.map { thresholds.count == 1 ? 0 : $0 }
    let shifted = { (bounds: [Int32]) in
      zip(lists, sums).map { entry, sum in
        // Bounds that no sum reaches, as of constant bits, stay where they are.
        let bound = bounds[entry]
        return bound == .min || bound == .max ? bound : Int32(clamping: Int64(bound) - Int64(sum))
      }
    }
    result.output = .accumulatorBits(
      Thresholds(
        lower: shifted(thresholds.lower), upper: shifted(thresholds.upper),
        insideIsPlus: lists.map { thresholds.insideIsPlus[$0] }))
    return result
  }
}

extension Array {
  /// The entries of some channels; a list of one entry holds for all.
  fileprivate func keeping(_ kept: [Int]) -> [Element] {
    count == 1 ? self : kept.map { self[$0] }
  }
}

extension Thresholds {
  fileprivate func keeping(_ kept: [Int]) -> Thresholds {
    Thresholds(
      lower: lower.keeping(kept), upper: upper.keeping(kept),
      insideIsPlus: insideIsPlus.keeping(kept))
  }
}
