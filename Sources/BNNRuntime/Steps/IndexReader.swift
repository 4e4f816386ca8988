/// An operand that lists positions, which may count from the end.
struct IndexReader {
  private let buffer: Buffer
  private let layer: String

  /// - Parameter buffer: of int32 or int64.
  init(_ buffer: Buffer, layer: String) {
    self.buffer = buffer
    self.layer = layer
  }

  /// An index in a list whose indices were checked.
  @inline(__always)
  func position(_ at: Int, extent: Int, _ execution: Execution) -> Int {
    let index = value(at, execution)
    return index < 0 ? index + extent : index
  }

  /// Checks all indices, of which those at `at mod extents.count` are for the same extent.
  func check(extents: [Int], _ execution: Execution) throws(RuntimeError) {
    for at in 0..<buffer.count {
      let (index, extent) = (value(at, execution), extents[at % extents.count])
      guard index >= -extent, index < extent else {
        throw .indexOutOfRange(layer: layer, index: index, extent: extent)
      }
    }
  }

  @inline(__always)
  private func value(_ at: Int, _ execution: Execution) -> Int {
    buffer.type == .int32
      ? Int(buffer.elements(Int32.self, execution)[at])
      : Int(buffer.elements(Int64.self, execution)[at])
  }
}
