import BNNFormat
import BNNTensor

/// Compares results of one layer that were computed from the same operands in two ways.
struct ResultComparison {
  private let operation: BNNFormat.Operation
  private let tolerance: Double
  private(set) var compared = 0
  private(set) var mismatches = 0
  /// Bits that differ because the number before them lies on the threshold up to the tolerance.
  private(set) var flips = 0
  private(set) var maximumError = 0.0

  init(_ operation: BNNFormat.Operation, tolerance: Double) {
    self.operation = operation
    self.tolerance = tolerance
  }

  /// - Parameter values: the numbers before the bits of a layer that gives only bits.
  mutating func compare(
    _ reference: [Tensor?], _ found: [Tensor], _ values: (reference: Tensor, found: Tensor)?
  ) {
    var numbers = values
    for (expected, tensor) in zip(reference, found) {
      guard let expected, expected.shape == tensor.shape else {
        mismatches += 1
        continue
      }
      if tensor.elementType == .sign {
        compareBits(expected, tensor, numbers?.reference)
      } else if tensor.elementType != .float32 {
        compared += expected.count
        mismatches += zip(expected.integers, tensor.integers).count { $0 != $1 }
      } else {
        compareReals(expected, tensor)
        numbers = (expected, tensor)
      }
    }
    // Values that the layer does not hand on are compared too.
    if let values { compareReals(values.reference, values.found) }
  }

  private mutating func compareReals(_ expected: Tensor, _ found: Tensor) {
    let (a, b) = (expected.floats, found.floats)
    compared += a.count
    let largest = expected.largest
    maximumError = max(maximumError, relativeError(a, b, largest: largest))
    if operation.isExact {
      mismatches += zip(a, b).count { $0.bitPattern != $1.bitPattern && !($0.isNaN && $1.isNaN) }
    } else {
      let limit = tolerance * Double(largest)
      mismatches += zip(a, b).count { distance($0, $1) > limit }
    }
  }

  private mutating func compareBits(_ expected: Tensor, _ found: Tensor, _ values: Tensor?) {
    guard let a = expected.packed, let b = found.packed else {
      mismatches += 1
      return
    }
    compared += a.count
    guard differences(a.bytes, b.bytes) > 0 else { return }
    guard !operation.isExact, let values, let bounds = operation.bounds else {
      mismatches += differences(a.bytes, b.bytes)
      return
    }
    let numbers = values.floats
    let limit = Float(tolerance) * values.largest
    let channels = a.shape.dimensions.last ?? 1
    for element in 0..<a.count where a[element] != b[element] {
      if bounds.isNear(numbers[element], channel: element % channels, within: limit) {
        flips += 1
      } else {
        mismatches += 1
      }
    }
  }
}

extension BNNFormat.Operation {
  /// Whether the runtime has to agree bit for bit: sums of integers, and what moves or selects.
  /// Functions that libraries compute differently are real-valued work wherever they stand.
  var isExact: Bool {
    switch self {
    case .binaryConvolution(_, _, let epilogue), .quantizedConvolution(_, _, _, let epilogue):
      epilogue.isExact
    case .binaryPool, .concatenate, .reshape, .transpose, .unpack, .signProduct: true
    case .array(let operation): operation.isExact
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
  var withValues: BNNFormat.Operation? {
    guard case .bits(let thresholds)? = epilogue?.output, !isExact else { return nil }
    let open = { (epilogue: Epilogue) in
      Epilogue(steps: epilogue.steps, output: .valuesAndBits(thresholds))
    }
    switch self {
    case .binaryConvolution(let geometry, let weights, let epilogue):
      return .binaryConvolution(geometry, weights: weights, open(epilogue))
    case .convolution(let geometry, let weights, let epilogue):
      return .convolution(geometry, weights: weights, open(epilogue))
    case .quantizedConvolution(let geometry, let weights, let input, let epilogue):
      return .quantizedConvolution(geometry, weights: weights, input: input, open(epilogue))
    case .pool(let kind, let window, let ceiling, let epilogue):
      return .pool(kind, window, ceiling: ceiling, open(epilogue))
    case .pointwise(let epilogue): return .pointwise(open(epilogue))
    default: return nil
    }
  }
}

extension ArrayOperation {
  /// What moves, selects, or rounds each element once.
  fileprivate var isExact: Bool {
    switch self {
    case .constant, .cast, .slice, .pad, .gather, .expand, .argumentExtremum, .topK,
      .cumulativeSum, .gatherElements, .gatherND, .scatterElements, .scatterND, .maximumIndices:
      true
    case .elementwise(let function): function != .arithmetic(.power)
    case .matrixProduct, .convolution, .transposedConvolution, .resample: false
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
