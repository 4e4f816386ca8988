import BNNKit

/// The arrays of an `.npz` checkpoint.
struct ArchiveInspection: Inspection {
  var schemaVersion = 1
  var file: String
  var format = "npz"
  var sourceBytes: Int
  var arrays: [Array]

  struct Array: Encodable {
    var name: String
    var elementType: String
    var shape: [Int]
    var bytes: Int
  }

  init(path: String) throws(CommandError) {
    file = path
    try FilePath.requireReadable(path)
    sourceBytes = try FilePath.byteCount(of: path)
    do {
      arrays = try NumPy.readArchive(path).map { entry in
        Array(
          name: entry.name, elementType: entry.tensor.elementType.rawValue,
          shape: entry.tensor.shape.dimensions, bytes: entry.tensor.byteCount)
      }
    } catch {
      throw CommandError(error)
    }
  }

  var text: String {
    var table = TextTable([
      ("array", .left), ("type", .left), ("shape", .left), ("bytes", .right),
    ])
    for array in arrays {
      table.add([
        array.name, array.elementType, Shape(array.shape).description,
        Formatting.grouped(array.bytes),
      ])
    }
    let count = "\(arrays.count) arrays, \(Formatting.grouped(sourceBytes)) bytes"
    return "\(file): NumPy archive, \(count)\n\n" + table.text
  }
}
