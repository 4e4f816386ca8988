import BNNExport
import BNNFormat
import BNNGraph
import BNNTensor

/// Compares one layer of the runtime with the reference: both get the reference's inputs.
struct LayerComparison {
  private let index: Int
  private let layer: Layer
  private let model: BinaryModel
  private let lowered: LoweredModel
  private let canonical: Graph
  private let runner: LayerRunner
  /// For a real-valued layer that only gives bits: the same with the values before them.
  private let valueRunner: LayerRunner?
  private let tolerance: Double

  private(set) var compared = 0
  private(set) var mismatches = 0
  private(set) var flips = 0
  private(set) var maximumError = 0.0

  init(
    _ index: Int, of model: BinaryModel, lowered: LoweredModel, canonical: Graph,
    tolerance: Double, threads: Int
  ) throws(VerificationError) {
    self.index = index
    layer = model.layers[index]
    self.model = model
    self.lowered = lowered
    self.canonical = canonical
    self.tolerance = tolerance
    runner = try LayerRunner(index, of: model, threads: threads)
    valueRunner =
      if let open = layer.operation.withValues {
        try LayerRunner(index, of: model, operation: open, threads: threads)
      } else {
        nil
      }
  }

  /// - Parameter reference: the values of the canonical graph.
  mutating func compare(_ reference: [ValueID: Tensor]) throws(VerificationError) {
    let input = { (value: Int) -> Tensor? in self.physical(value, reference) }
    let found = try runner.run(input)
    var values: (reference: Tensor, found: Tensor)?
    if let valueRunner, let before = try referenceValues(reference) {
      values = (before, try valueRunner.run(input)[0])
    }
    for (output, tensor) in zip(layer.outputs, found) {
      guard let expected = physical(output, reference), expected.shape == tensor.shape else {
        mismatches += 1
        continue
      }
      if model.values[output].elementType == .float32 {
        compareReals(expected, tensor)
        values = (expected, tensor)
      } else {
        compareBits(expected, tensor, values)
      }
    }
    // Values that the layer does not hand on are compared too.
    if valueRunner != nil, let values { compareReals(values.reference, values.found) }
  }

  private func physical(_ value: Int, _ reference: [ValueID: Tensor]) -> Tensor? {
    let source = lowered.values[value]
    return reference[source.value]?.physical(
      source.permutation, as: model.values[value].elementType)
  }

  private mutating func compareReals(_ expected: Tensor, _ found: Tensor) {
    let (a, b) = (expected.floats, found.floats)
    compared += a.count
    let largest = expected.largest
    maximumError = max(maximumError, relativeError(a, b, largest: largest))
    if layer.operation.isExact {
      mismatches += zip(a, b).count { $0.bitPattern != $1.bitPattern && !($0.isNaN && $1.isNaN) }
    } else {
      let limit = tolerance * Double(largest)
      mismatches += zip(a, b).count { distance($0, $1) > limit }
    }
  }

  /// - Parameter values: the numbers before the bits of a real-valued layer.
  private mutating func compareBits(
    _ expected: Tensor, _ found: Tensor, _ values: (reference: Tensor, found: Tensor)?
  ) {
    guard let a = expected.packed, let b = found.packed else {
      mismatches += 1
      return
    }
    compared += a.count
    guard differences(a.bytes, b.bytes) > 0 else { return }
    guard !layer.operation.isExact, let values, let bounds = layer.operation.bounds else {
      mismatches += differences(a.bytes, b.bytes)
      return
    }
    let numbers = values.reference.floats
    let limit = Float(tolerance) * values.reference.largest
    let channels = a.shape.dimensions.last ?? 1
    for element in 0..<a.count where a[element] != b[element] {
      if bounds.isNear(numbers[element], channel: element % channels, within: limit) {
        flips += 1
      } else {
        mismatches += 1
      }
    }
  }

  /// What the reference's block computes before the bits, in the layer's layout.
  private func referenceValues(
    _ reference: [ValueID: Tensor]
  ) throws(VerificationError) -> Tensor? {
    guard let nodeIndex = lowered.layers[index].node, let output = layer.outputs.first else {
      return nil
    }
    let node = canonical.nodes[nodeIndex]
    guard case .block(var block) = node.op else { return nil }
    block.epilogue.output = .values
    let operands = node.inputs.map { $0.flatMap { reference[$0] ?? canonical[$0].constant } }
    let values = try attempt { () throws(GraphError) in
      try node.attempt { () throws(OperatorError) in try block.evaluate(operands)[0] }
    }
    return values.physical(lowered.values[output].permutation, as: .float32)
  }
}

extension BNNFormat.Operation {
  /// Whether the runtime has to agree bit for bit: sums of integers, and what moves or selects.
  /// Functions that libraries compute differently are real-valued work wherever they stand.
  var isExact: Bool {
    switch self {
    case .binaryConvolution(_, _, let epilogue): epilogue.isExact
    case .binaryPool, .concatenate, .reshape, .transpose, .gatherChannels, .unpack: true
    case .convolution, .pool, .pointwise, .softmax, .reduce: false
    }
  }

  /// The thresholds behind the layer's real values.
  fileprivate var bounds: Thresholds<Float>? {
    switch epilogue?.output {
    case .bits(let thresholds), .valuesAndBits(let thresholds): thresholds
    case .values, .accumulatorBits, nil: nil
    }
  }

  /// A layer that gives only bits of real values, made to give the values too.
  fileprivate var withValues: BNNFormat.Operation? {
    guard case .bits(let thresholds)? = epilogue?.output, !isExact else { return nil }
    let open = { (epilogue: Epilogue) in
      Epilogue(steps: epilogue.steps, output: .valuesAndBits(thresholds))
    }
    switch self {
    case .binaryConvolution(let geometry, let weights, let epilogue):
      return .binaryConvolution(geometry, weights: weights, open(epilogue))
    case .convolution(let geometry, let weights, let epilogue):
      return .convolution(geometry, weights: weights, open(epilogue))
    case .pool(let kind, let window, let ceiling, let epilogue):
      return .pool(kind, window, ceiling: ceiling, open(epilogue))
    case .pointwise(let epilogue): return .pointwise(open(epilogue))
    default: return nil
    }
  }
}

extension Epilogue {
  fileprivate var isExact: Bool {
    steps.allSatisfy { step in
      guard case .function(let function) = step else { return true }
      switch function {
      case .absolute, .negate, .reciprocal, .squareRoot, .floor, .ceiling, .roundHalfToEven,
        .sign, .relu, .leakyRelu, .hardSigmoid:
        return true
      default: return false
      }
    }
  }
}

extension Thresholds<Float> {
  /// Whether a number lies on a bound up to `limit`.
  func isNear(_ x: Float, channel: Int, within limit: Float) -> Bool {
    let c = count == 1 ? 0 : channel
    return (x - lower[c]).magnitude <= limit || (x - upper[c]).magnitude <= limit
  }
}
