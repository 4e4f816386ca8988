import BNNFormat
import BNNTensor

/// A value as plain numbers, bits as ±1, in row-major order.
struct PlainValue {
  let shape: Shape
  let elements: [Float]
  private let strides: [Int]

  init(_ elements: [Float], _ shape: Shape) {
    self.shape = shape
    self.elements = elements
    strides = shape.strides
  }

  /// By index along each axis.
  subscript(index: [Int]) -> Float {
    var offset = 0
    for axis in index.indices { offset += index[axis] * strides[axis] }
    return elements[offset]
  }
}

extension Shape {
  /// All indices in row-major order.
  var indices: [[Int]] {
    dimensions.reduce([[]]) { partial, extent in
      partial.flatMap { index in (0..<extent).map { index + [$0] } }
    }
  }
}

/// The meaning of every operation in the most direct words; integers are added exactly.
func referenceOutputs(_ layer: Layer, _ inputs: [PlainValue], shape: Shape) -> [PlainValue] {
  let x = inputs[0]
  switch layer.operation {
  case .binaryConvolution(let geometry, let weights, let epilogue):
    let weights = PlainValue(weights.signs, weights.shape)
    return finish(
      convolve(x, weights, geometry, shape: shape), epilogue, Array(inputs.dropFirst()))
  case .convolution(let geometry, let weights, let epilogue):
    let plain =
      switch weights {
      case .signs(let packed): PlainValue(packed.signs, packed.shape)
      case .float32(let elements, let shape): PlainValue(elements, shape)
      }
    return finish(convolve(x, plain, geometry, shape: shape), epilogue, Array(inputs.dropFirst()))
  case .quantizedConvolution(let geometry, let weights, let input, let epilogue):
    let bytes = PlainValue(x.elements.map { Float(input.byte($0)) - Float(input.zero) }, x.shape)
    let plain = PlainValue(weights.elements.map { Float($0) }, weights.shape)
    let sums = convolve(bytes, plain, geometry, shape: shape)
    let factors = weights.scales.map { input.scale * $0 }
    let real = zip(sums.elements, shape.indices).map { sum, index in
      sum * (factors.count == 1 ? factors[0] : factors[index.last ?? 0])
    }
    return finish(PlainValue(real, shape), epilogue, Array(inputs.dropFirst()))
  case .pool(let kind, let window, _, let epilogue):
    return finish(pool(x, kind, window, shape: shape), epilogue, Array(inputs.dropFirst()))
  case .binaryPool(let window, _, let inverted):
    let indices = shape.indices
    let elements = indices.map { index in
      let taps = windowTaps(x, window, index).compactMap(\.value)
      let isInverted = inverted.count == 1 ? inverted[0] : inverted[index.last ?? 0]
      return isInverted ? taps.min() ?? 1 : taps.max() ?? -1
    }
    return [PlainValue(elements, shape)]
  case .pointwise(let epilogue): return finish(x, epilogue, Array(inputs.dropFirst()))
  case .concatenate(let axis):
    let elements = shape.indices.map { index in
      var index = index
      for input in inputs {
        if index[axis] < input.shape[axis] { return input[index] }
        index[axis] -= input.shape[axis]
      }
      return .nan
    }
    return [PlainValue(elements, shape)]
  case .reshape: return [PlainValue(x.elements, shape)]
  case .transpose(let permutation):
    let elements = shape.indices.map { index in
      var source = index
      for (to, from) in permutation.enumerated() { source[from] = index[to] }
      return x[source]
    }
    return [PlainValue(elements, shape)]
  case .array(.resample(let tables, let outside)):
    return [resample(x, tables, outside: outside, shape: shape)]
  case .softmax(let axis, let logarithm):
    return [softmax(x, axis: axis, logarithm: logarithm)]
  case .reduce(let kind, let axes, let keepDimensions):
    return [reduce(x, kind, axes: axes, keepDimensions: keepDimensions, shape: shape)]
  case .unpack: return [x]
  // These have tests of their own, in the types that they work on.
  case .array: return []
  case .signProduct: return [PlainValue(zip(x.elements, inputs[1].elements).map(*), shape)]
  }
}

/// Where a tap of an output position lies in the input, along a spatial axis.
private func inputPosition(_ window: WindowGeometry, axis: Int, at index: [Int], tap: [Int]) -> Int
{
  let origin = index[axis + 1] * window.strides[axis] - window.padsBegin[axis]
  return origin + tap[axis] * window.dilations[axis]
}

/// What a window sees for an output index [image, position…, channel]: nil outside the input.
private func windowTaps(
  _ x: PlainValue, _ window: WindowGeometry, _ index: [Int], channel: Int? = nil
) -> [(tap: [Int], value: Float?)] {
  let rank = window.spatialRank
  return Shape(window.kernel).indices.map { tap in
    let position = (0..<rank).map { inputPosition(window, axis: $0, at: index, tap: tap) }
    let isInside = (0..<rank).allSatisfy { (0..<x.shape[$0 + 1]).contains(position[$0]) }
    let at = rank == 0 ? Array(index.dropLast()) : [index[0]] + position
    return (tap, isInside ? x[at + [channel ?? index[index.count - 1]]] : nil)
  }
}

private func convolve(
  _ x: PlainValue, _ weights: PlainValue, _ geometry: ConvolutionGeometry, shape: Shape
) -> PlainValue {
  let channels = weights.shape[weights.shape.rank - 1]
  let outputsPerGroup = weights.shape[0] / geometry.groups
  let elements = shape.indices.map { index in
    let output = index[index.count - 1]
    var sum = 0.0
    for channel in 0..<channels {
      let source = output / outputsPerGroup * channels + channel
      for (tap, value) in windowTaps(x, geometry.window, index, channel: source) {
        let input = value ?? Float(geometry.padding.rawValue)
        sum += Double(input) * Double(weights[[output] + tap + [channel]])
      }
    }
    return Float(sum)
  }
  return PlainValue(elements, shape)
}

private func pool(
  _ x: PlainValue, _ kind: PoolKind, _ window: WindowGeometry, shape: Shape
) -> PlainValue {
  let elements = shape.indices.map { index in
    let values = windowTaps(x, window, index).compactMap(\.value)
    switch kind {
    case .maximum: return values.max() ?? -.infinity
    case .average(let countPadding):
      var count = values.count
      if countPadding {
        count = Shape(window.kernel).indices.count { tap in
          (0..<window.spatialRank).allSatisfy { axis in
            let position = inputPosition(window, axis: axis, at: index, tap: tap)
            return position < x.shape[axis + 1] + window.padsEnd[axis]
          }
        }
      }
      return values.reduce(0, +) / Float(count)
    }
  }
  return PlainValue(elements, shape)
}

private func resample(
  _ x: PlainValue, _ tables: [ResampleTable?], outside: Float, shape: Shape
) -> PlainValue {
  let elements = shape.indices.map { index in
    // Positions in the input along the axes so far, and their weights.
    var taps: [(index: [Int], weight: Double)] = [([], 1)]
    for (axis, position) in index.enumerated() {
      var own: [(at: Int, weight: Double)] = [(position, 1)]
      if let table = tables[axis] {
        let counts = (0..<shape[axis]).map { Int(table.counts[table.counts.count == 1 ? 0 : $0]) }
        let first = counts[..<position].reduce(0, +)
        own = (first..<first + counts[position]).map {
          (Int(table.indices[$0]), Double(table.weights[$0]))
        }
      }
      taps = taps.flatMap { tap in own.map { (tap.index + [$0.at], tap.weight * $0.weight) } }
    }
    return taps.isEmpty ? outside : Float(taps.reduce(0) { $0 + $1.weight * Double(x[$1.index]) })
  }
  return PlainValue(elements, shape)
}

private func softmax(_ x: PlainValue, axis: Int, logarithm: Bool) -> PlainValue {
  let elements = x.shape.indices.map { index in
    let line = (0..<x.shape[axis]).map { at in
      var index = index
      index[axis] = at
      return Double(x[index])
    }
    let largest = line.max() ?? 0
    let powers = line.map { Double(Float.exponential(Float($0 - largest))) }
    let share = powers[index[axis]] / powers.reduce(0, +)
    return Float(logarithm ? Double.logarithm(share) : share)
  }
  return PlainValue(elements, x.shape)
}

private func reduce(
  _ x: PlainValue, _ kind: ReduceFunction, axes: [Int], keepDimensions: Bool, shape: Shape
) -> PlainValue {
  let kept = (0..<x.shape.rank).filter { !axes.contains($0) }
  var lists: [[Int]: [Float]] = [:]
  for index in x.shape.indices { lists[kept.map { index[$0] }, default: []].append(x[index]) }
  let elements = Shape(kept.map { x.shape[$0] }).indices.map { index in
    let list = lists[index] ?? []
    return switch kind {
    case .mean: list.reduce(0, +) / Float(list.count)
    case .sum: list.reduce(0, +)
    case .maximum: list.max() ?? -.infinity
    case .minimum: list.min() ?? .infinity
    default: Float.nan
    }
  }
  return PlainValue(elements, shape)
}

/// The epilogue, one rounding per operation.
private func finish(
  _ result: PlainValue, _ epilogue: Epilogue, _ operands: [PlainValue]
) -> [PlainValue] {
  let shape = result.shape
  let indices = shape.indices
  func channel(_ i: Int) -> Int { indices[i].last ?? 0 }
  func entry<T>(_ list: [T], _ i: Int) -> T { list.count == 1 ? list[0] : list[channel(i)] }
  func operand(_ number: Int, _ i: Int) -> Float {
    let value = operands[number]
    let index = indices[i].suffix(value.shape.rank)
    return value[zip(index, value.shape.dimensions).map { $1 == 1 ? 0 : $0 }]
  }
  var y = result.elements
  for step in epilogue.steps {
    for i in y.indices {
      switch step {
      case .affine(let scale, let bias):
        let product = y[i] * entry(scale, i)
        y[i] = product + entry(bias, i)
      case .slopes(let positive, let negative):
        y[i] = y[i] < 0 ? entry(negative, i) * y[i] : entry(positive, i) * y[i]
      case .clamp(let lower, let upper): y[i] = min(max(y[i], lower), upper)
      case .function(let function): y[i] = function.applied(to: [y[i]])[0]
      case .add(let number): y[i] = y[i] + operand(number, i)
      case .multiply(let number): y[i] = y[i] * operand(number, i)
      }
    }
  }
  let values = PlainValue(y, shape)
  func bits(_ isPlus: (Int) -> Bool) -> PlainValue {
    PlainValue(y.indices.map { isPlus($0) ? 1 : -1 }, shape)
  }
  switch epilogue.output {
  case .values: return [values]
  case .bits(let thresholds):
    return [bits { thresholds.isPlus(y[$0], channel: channel($0)) }]
  case .valuesAndBits(let thresholds):
    return [values, bits { thresholds.isPlus(y[$0], channel: channel($0)) }]
  case .accumulatorBits(let thresholds):
    return [bits { thresholds.isPlus(Int32(y[$0]), channel: channel($0)) }]
  }
}
