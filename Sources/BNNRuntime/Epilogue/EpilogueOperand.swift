import BNNTensor

/// Another value that an epilogue adds or multiplies, broadcast to the shape of the result.
struct EpilogueOperand {
  private let buffer: Buffer
  /// Whether a row has one number for all channels.
  let isScalar: Bool
  /// Rows are read in runs: this many, each `stride` elements after the one before.
  private let runLength: Int
  let stride: Int
  /// Extents of the result before the last axis, and the operand's step in elements along each (0
  /// where it is broadcast).
  private let extents: [Int]
  private let steps: [Int]

  /// - Returns: nil where the operand does not broadcast to the result's shape.
  init?(_ buffer: Buffer, result: Shape) {
    guard buffer.shape.broadcast(with: result) == result else { return nil }
    self.buffer = buffer
    let missing = result.rank - buffer.shape.rank
    let strides = buffer.shape.strides
    let steps = (0..<result.rank).map { axis in
      axis < missing || buffer.shape[axis - missing] == 1 ? 0 : strides[axis - missing]
    }
    isScalar = (steps.last ?? 0) == 0
    extents = result.dimensions.dropLast()
    self.steps = steps.dropLast()
    var (length, stride) = (1, 0)
    for axis in extents.indices.reversed() where extents[axis] != 1 {
      if length == 1 {
        (length, stride) = (extents[axis], steps[axis])
      } else if steps[axis] == stride * length {
        length *= extents[axis]
      } else {
        break
      }
    }
    runLength = max(1, length)
    self.stride = stride
  }

  /// Whether all rows follow each other.
  var isOneRun: Bool { runLength == extents.reduce(1, *) }

  /// How many rows from this one on follow each other at `stride`.
  func rowsLeft(in row: Int) -> Int { runLength - row % runLength }

  /// The operand's elements for a row.
  func source(row: Int, _ execution: Execution) -> UnsafePointer<Float> {
    var rest = row / runLength
    var offset = row % runLength * stride
    var inner = runLength
    for axis in extents.indices.reversed() {
      // The axes of a run are done with.
      if inner > 1 {
        inner /= extents[axis]
        continue
      }
      offset += rest % extents[axis] * steps[axis]
      rest /= extents[axis]
    }
    return UnsafePointer(buffer.floats(execution)) + offset
  }
}
