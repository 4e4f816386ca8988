/// Adds to `sums` [a's columns, b's columns] the product aᵀ · b of matrices with the same rows.
///
/// Each sum adds the rows in order, four at a time, whatever the blocks are. O(rows · n · m).
///
/// - Parameter isSymmetric: whether a is b; then only the blocks that meet the upper triangle are
///   computed.
func addTransposedProduct(
  _ a: [Float], columns n: Int, _ b: [Float], columns m: Int, rows: Int, isSymmetric: Bool = false,
  to sums: inout [Float]
) {
  // A tile of the sums and the rows it takes stay in the nearest cache.
  let (tileRows, tileColumns) = (16, 256)
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      sums.withUnsafeMutableBufferPointer { sums in
        guard let a = a.baseAddress, let b = b.baseAddress, let sums = sums.baseAddress else {
          return
        }
        for left in stride(from: 0, to: m, by: tileColumns) {
          let width = min(tileColumns, m - left)
          for top in stride(from: 0, to: n, by: tileRows) {
            if isSymmetric, top >= left + width { break }
            let height = min(tileRows, n - top)
            for row in stride(from: 0, to: rows, by: 4) {
              addRows(
                a + row * n + top, n, b + row * m + left, m, count: min(4, rows - row),
                height: height, width: width, to: sums + top * m + left)
            }
          }
        }
      }
    }
  }
}

/// Adds up to four rows to a tile of the sums.
@inline(__always)
private func addRows(
  _ a: UnsafePointer<Float>, _ n: Int, _ b: UnsafePointer<Float>, _ m: Int, count: Int,
  height: Int, width: Int, to sums: UnsafeMutablePointer<Float>
) {
  if count == 4 {
    for i in 0..<height {
      let (a0, a1, a2, a3) = (a[i], a[n &+ i], a[2 &* n &+ i], a[3 &* n &+ i])
      let target = sums + i &* m
      for j in 0..<width {
        target[j] += (a0 * b[j] + a1 * b[m &+ j]) + (a2 * b[2 &* m &+ j] + a3 * b[3 &* m &+ j])
      }
    }
  } else {
    for row in 0..<count {
      for i in 0..<height {
        let factor = a[row &* n &+ i]
        for j in 0..<width { sums[i &* m &+ j] += factor * b[row &* m &+ j] }
      }
    }
  }
}

/// Copies the upper triangle of a matrix [n, n] into the lower.
func mirrorUpperTriangle(_ matrix: inout [Float], n: Int) {
  for row in 0..<n {
    for column in 0..<row { matrix[row * n + column] = matrix[column * n + row] }
  }
}

/// The matrix rowsᵀ · rows of rows of signs, counted on packed bits: exact integers.
///
/// With s the bits of a column and v those of the rows in which it is not 0, entry (i, j) is
/// |vᵢ ∧ vⱼ| − 2 |(sᵢ ⊕ sⱼ) ∧ vᵢ ∧ vⱼ|. O(rows / 64 · n²).
///
/// - Parameters:
///   - elements: [rows, n] of ±1, or 0 in all columns of a tap.
///   - taps: the column's tap is its index modulo their number.
func signGram(_ elements: [Float], rows: Int, n: Int, taps: Int) -> [Float] {
  let words = (rows + 63) / 64
  var signs = [UInt64](repeating: 0, count: n * words)
  var valid = [UInt64](repeating: 0, count: taps * words)
  for row in 0..<rows {
    let (word, bit) = (row / 64, UInt64(row % 64))
    for column in 0..<n where elements[row * n + column] != 0 {
      if elements[row * n + column] > 0 { signs[column * words + word] |= 1 << bit }
      valid[column % taps * words + word] |= 1 << bit
    }
  }
  var result = [Float](repeating: 0, count: n * n)
  var both = [UInt64](repeating: 0, count: words)
  for first in 0..<taps {
    for second in 0..<taps {
      for word in 0..<words {
        both[word] = valid[first * words + word] & valid[second * words + word]
      }
      let count = both.reduce(0) { $0 + $1.nonzeroBitCount }
      for i in stride(from: first, to: n, by: taps) {
        for j in stride(from: second, to: n, by: taps) where j >= i {
          let different = differences(signs, i * words, j * words, under: both)
          result[i * n + j] = Float(count - 2 * different)
        }
      }
    }
  }
  mirrorUpperTriangle(&result, n: n)
  return result
}

/// The bits under a mask that differ between two columns.
private func differences(
  _ bits: [UInt64], _ first: Int, _ second: Int, under mask: [UInt64]
) -> Int {
  bits.withUnsafeBufferPointer { bits in
    mask.withUnsafeBufferPointer { mask in
      var count = 0
      for word in 0..<mask.count {
        count &+= ((bits[first &+ word] ^ bits[second &+ word]) & mask[word]).nonzeroBitCount
      }
      return count
    }
  }
}
