import BNNTensor

/// Another value that an epilogue adds or multiplies, broadcast to the shape of the result.
struct EpilogueOperand {
  private let buffer: Buffer
  private let layout: Layout

  private enum Layout {
    /// The same shape.
    case same
    /// One number for all.
    case scalar
    /// By rows: extents of the result before the last axis, and the operand's step in elements
    /// along each (0 where it is broadcast); one number per channel or one per row.
    case rows(extents: [Int], steps: [Int], perChannel: Bool)
  }

  /// - Returns: nil where the operand does not broadcast to the result's shape.
  init?(_ buffer: Buffer, result: Shape) {
    self.buffer = buffer
    guard buffer.shape.broadcast(with: result) == result else { return nil }
    if buffer.shape == result {
      layout = .same
    } else if buffer.count == 1 {
      layout = .scalar
    } else {
      let missing = result.rank - buffer.shape.rank
      let strides = buffer.shape.strides
      let steps = (0..<result.rank).map { axis in
        axis < missing || buffer.shape[axis - missing] == 1 ? 0 : strides[axis - missing]
      }
      layout = .rows(
        extents: result.dimensions.dropLast(), steps: steps.dropLast(), perChannel: steps.last != 0)
    }
  }

  /// y = x + operand or x · operand for rows of the result.
  func combine(
    rows: Range<Int>, channels: Int, _ x: UnsafePointer<Float>, isProduct: Bool,
    to y: UnsafeMutablePointer<Float>, _ kernel: PointwiseKernel, _ execution: Execution
  ) {
    let operand = UnsafePointer(buffer.floats(execution))
    switch layout {
    case .same:
      combine(
        rows.count * channels, x, operand + rows.lowerBound * channels, isProduct, to: y, kernel)
    case .scalar:
      combine(rows.count * channels, x, scalar: operand[0], isProduct, to: y, kernel)
    case .rows(let extents, let steps, let perChannel):
      for (offset, row) in rows.enumerated() {
        let source = operand + EpilogueOperand.offset(of: row, extents: extents, steps: steps)
        let at = offset * channels
        if perChannel {
          combine(channels, x + at, source, isProduct, to: y + at, kernel)
        } else {
          combine(channels, x + at, scalar: source[0], isProduct, to: y + at, kernel)
        }
      }
    }
  }

  private static func offset(of row: Int, extents: [Int], steps: [Int]) -> Int {
    var rest = row
    var offset = 0
    for axis in extents.indices.reversed() {
      offset += rest % extents[axis] * steps[axis]
      rest /= extents[axis]
    }
    return offset
  }

  private func combine(
    _ count: Int, _ x: UnsafePointer<Float>, _ operand: UnsafePointer<Float>, _ isProduct: Bool,
    to y: UnsafeMutablePointer<Float>, _ kernel: PointwiseKernel
  ) {
    if isProduct {
      kernel.multiply(count, x, operand, to: y)
    } else {
      kernel.add(count, x, operand, to: y)
    }
  }

  private func combine(
    _ count: Int, _ x: UnsafePointer<Float>, scalar: Float, _ isProduct: Bool,
    to y: UnsafeMutablePointer<Float>, _ kernel: PointwiseKernel
  ) {
    if isProduct {
      kernel.multiply(count, x, scalar: scalar, to: y)
    } else {
      kernel.add(count, x, scalar: scalar, to: y)
    }
  }
}
