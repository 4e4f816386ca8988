import BNNExport
import BNNGraph
import BNNTensor

extension Tensor {
  /// A value of the graph in the layout and of the type of a model value.
  func physical(_ permutation: [Int], as type: ElementType) -> Tensor {
    let missing = [Int](repeating: 1, count: max(0, permutation.count - shape.rank))
    let elements = type == .float32 || type == .sign ? reals : self
    var result = elements.reshaped(to: Shape(missing + shape.dimensions))
    if permutation != Array(permutation.indices),
      let moved = try? Transpose(permutation: permutation).evaluate([result]).first
    {
      result = moved
    }
    guard type == .sign else { return result }
    let signs = result.floats
    return Tensor(PackedTensor(shape: result.shape) { signs[$0] > 0 })
  }

  /// The elements as a tensor of float32.
  var reals: Tensor { elementType == .float32 ? self : Tensor(floats, shape: shape) }

  /// The largest finite magnitude.
  var largest: Float { floats.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 } }

  /// A part of the first dimension.
  func rows(_ range: Range<Int>) -> Tensor {
    let length = shape.dimensions.dropFirst().reduce(1, *)
    let part = range.lowerBound * length..<range.upperBound * length
    let partShape = Shape([range.count] + shape.dimensions.dropFirst())
    return switch storage {
    case .float(let elements):
      Tensor(Array(elements[part]), shape: partShape, elementType: elementType)
    case .double(let elements): Tensor(Array(elements[part]), shape: partShape)
    case .integer(let elements):
      Tensor(Array(elements[part]), shape: partShape, elementType: elementType)
    case .bool(let elements): Tensor(Array(elements[part]), shape: partShape)
    case .sign(let packed):
      Tensor(PackedTensor(shape: partShape) { packed[part.lowerBound + $0] })
    }
  }
}

/// The number of elements of two lists that differ.
func differences(_ a: [UInt8], _ b: [UInt8]) -> Int {
  zip(a, b).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
}

/// How far apart two numbers are: infinitely where only one is NaN or they are unequal infinities.
func distance(_ a: Float, _ b: Float) -> Double {
  if a == b || a.isNaN && b.isNaN { return 0 }
  let difference = (Double(a) - Double(b)).magnitude
  return difference.isNaN ? .infinity : difference
}

/// The largest distance as a part of the reference's largest magnitude.
func relativeError(_ reference: [Float], _ found: [Float], largest: Float) -> Double {
  var error = 0.0
  for (a, b) in zip(reference, found) { error = max(error, distance(a, b)) }
  // Reports are written as JSON, which has no infinity.
  return min(error / Double(largest > 0 ? largest : 1), .greatestFiniteMagnitude)
}

/// Counts rows whose largest element is at the same place.
func agreement(_ a: Tensor, _ b: Tensor) -> (same: Int, rows: Int) {
  let rows = a.shape.rank >= 2 ? a.shape[0] : 1
  guard rows > 0, a.count == b.count, a.count > 0 else { return (0, 0) }
  let length = a.count / rows
  let (x, y) = (a.floats, b.floats)
  let same = (0..<rows).count { row in
    let range = row * length..<(row + 1) * length
    return place(of: x[range]) == place(of: y[range])
  }
  return (same, rows)
}

/// Where the largest element is: the first of equals, and NaN never.
private func place(of row: ArraySlice<Float>) -> Int {
  var best = row.startIndex
  for index in row.indices where row[index] > row[best] || row[best].isNaN { best = index }
  return best - row.startIndex
}
