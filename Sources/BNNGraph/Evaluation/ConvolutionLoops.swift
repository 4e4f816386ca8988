import BNNTensor

/// A convolution whose geometry fits its operands: the sizes, and the loops.
///
/// Each output element starts at 0 and adds tap by tap: channels of the group in order, for each
/// the window's positions in row-major order. Taps outside the input are skipped. The loops run
/// over whole rows of outputs at once, which changes nothing for a single element.
struct ConvolutionLoops {
  let batch: Int
  let groups: Int
  let groupInputs: Int
  let groupOutputs: Int
  let walk: WindowWalk

  /// The result of `x` [N, C, spatial…] and `weights` [O, C / groups, kernel…].
  func run<T: BinaryFloatingPoint>(_ x: [T], _ weights: [T]) -> [T] {
    let (inputCount, outputCount) = (walk.inputCount, walk.outputCount)
    let filterCount = groupInputs * walk.tapCount
    let taps = taps()
    var result = [T](repeating: 0, count: batch * groups * groupOutputs * outputCount)
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        weights.withUnsafeBufferPointer { weights in
          for plane in 0..<batch * groups * groupOutputs {
            let output = plane % (groups * groupOutputs)
            let image = plane / (groups * groupOutputs)
            let firstInput = (image * groups + output / groupOutputs) * groupInputs
            let sums = UnsafeMutableBufferPointer(
              rebasing: result[plane * outputCount..<(plane + 1) * outputCount])
            for channel in 0..<groupInputs {
              let start = (firstInput + channel) * inputCount
              let source = UnsafeBufferPointer(rebasing: x[start..<start + inputCount])
              let filter = output * filterCount + channel * taps.count
              for (index, tap) in taps.enumerated() {
                tap.add(source, times: weights[filter + index], to: sums)
              }
            }
          }
        }
      }
    }
    return result
  }

  /// The transposed convolution: `x` has the shape of this convolution's result, the result that
  /// of its input, and `weights` are [inputs of the group, outputs of the group, kernel…] as seen
  /// from there.
  func runBackward<T: BinaryFloatingPoint>(_ x: [T], _ weights: [T]) -> [T] {
    let (inputCount, outputCount) = (walk.inputCount, walk.outputCount)
    let taps = taps()
    var result = [T](repeating: 0, count: batch * groups * groupInputs * inputCount)
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        for plane in 0..<batch * groups * groupInputs {
          let group = plane / groupInputs % groups
          let image = plane / (groups * groupInputs)
          let sums = UnsafeMutableBufferPointer(
            rebasing: result[plane * inputCount..<(plane + 1) * inputCount])
          for channel in group * groupOutputs..<(group + 1) * groupOutputs {
            let start = (image * groups * groupOutputs + channel) * outputCount
            let source = UnsafeBufferPointer(rebasing: x[start..<start + outputCount])
            let filter = (channel * groupInputs + plane % groupInputs) * taps.count
            for (index, tap) in taps.enumerated() {
              tap.addBackward(source, times: weights[filter + index], to: sums)
            }
          }
        }
      }
    }
    return result
  }

  /// Where each tap of the window meets the input, in row-major order.
  private func taps() -> [Tap] {
    var taps: [Tap] = []
    for z in 0..<walk.kernel[0] {
      for y in 0..<walk.kernel[1] {
        for x in 0..<walk.kernel[2] { taps.append(Tap(walk, at: [z, y, x])) }
      }
    }
    return taps
  }
}

/// One position of the window: the block of outputs for which it lies in the input.
private struct Tap {
  fileprivate var depth: Int
  fileprivate var rows: Int
  fileprivate var columns: Int
  fileprivate var outputStart = 0
  fileprivate var inputStart = 0
  fileprivate let outputSlice: Int
  fileprivate let outputRow: Int
  fileprivate let inputSlice: Int
  fileprivate let inputRow: Int
  fileprivate let inputStep: Int

  init(_ walk: WindowWalk, at position: [Int]) {
    let blocks = (0..<3).map { walk.outputs(axis: $0, tap: position[$0]) }
    let inputStrides = Shape(walk.input).strides
    let outputStrides = Shape(walk.output).strides
    for axis in 0..<3 {
      let first = blocks[axis].lowerBound
      outputStart += first * outputStrides[axis]
      inputStart +=
        (first * walk.strides[axis] - walk.padsBegin[axis] + position[axis] * walk.dilations[axis])
        * inputStrides[axis]
    }
    (depth, rows, columns) = (blocks[0].count, blocks[1].count, blocks[2].count)
    outputSlice = outputStrides[0]
    outputRow = outputStrides[1]
    inputSlice = walk.strides[0] * inputStrides[0]
    inputRow = walk.strides[1] * inputStrides[1]
    inputStep = walk.strides[2]
    if rows * columns * depth == 0 { depth = 0 }
    // Rows that follow each other without a gap on both sides are one row.
    if inputStep == 1, columns == outputRow, inputRow == outputRow {
      (rows, columns) = (1, rows * columns)
    }
  }

  /// Adds `source · weight` to every sum of the block.
  @inline(__always)
  func add<T: BinaryFloatingPoint>(
    _ source: UnsafeBufferPointer<T>, times weight: T, to sums: UnsafeMutableBufferPointer<T>
  ) {
    for slice in 0..<depth {
      for row in 0..<rows {
        let to = outputStart + slice * outputSlice + row * outputRow
        let from = inputStart + slice * inputSlice + row * inputRow
        if inputStep == 1 {
          for column in 0..<columns { sums[to + column] += source[from + column] * weight }
        } else {
          for column in 0..<columns {
            sums[to + column] += source[from + column * inputStep] * weight
          }
        }
      }
    }
  }
}

extension Tap {
  /// Adds `source · weight`, with the block's outputs as the source, to the inputs that they see.
  func addBackward<T: BinaryFloatingPoint>(
    _ source: UnsafeBufferPointer<T>, times weight: T, to sums: UnsafeMutableBufferPointer<T>
  ) {
    for slice in 0..<depth {
      for row in 0..<rows {
        let from = outputStart + slice * outputSlice + row * outputRow
        let to = inputStart + slice * inputSlice + row * inputRow
        for column in 0..<columns {
          sums[to + column * inputStep] += source[from + column] * weight
        }
      }
    }
  }
}

/// The matrix product of a [rows, inner] and b [inner, columns], added in the order of `inner`.
func matrixProduct<T: BinaryFloatingPoint>(
  _ a: ArraySlice<T>, _ b: ArraySlice<T>, rows: Int, inner: Int, columns: Int
) -> [T] {
  var result = [T](repeating: 0, count: rows * columns)
  // A block of b serves all rows while it is in the cache.
  let blockLength = 64
  result.withUnsafeMutableBufferPointer { result in
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        for start in stride(from: 0, to: inner, by: blockLength) {
          for row in 0..<rows {
            for index in start..<min(start + blockLength, inner) {
              let factor = a[row * inner + index]
              for column in 0..<columns {
                result[row * columns + column] += factor * b[index * columns + column]
              }
            }
          }
        }
      }
    }
  }
  return result
}

/// A matrix [rows, columns] as [columns, rows].
func transposed<T>(_ matrix: [T], rows: Int, columns: Int) -> [T] {
  let layout = StridedLayout(shape: [columns, rows], strides: [1, columns])
  return layout.indices.map { matrix[$0] }
}
