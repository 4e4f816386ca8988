import BNNKit

/// The arrays of an `.npz` checkpoint, and the architectures that they fit.
struct ArchiveInspection: Inspection {
  var schemaVersion = 1
  var file: String
  var format = "npz"
  var sourceBytes: Int
  var arrays: [Array]
  /// The architectures whose every parameter is there in the right shape.
  var fits: [Fit]
  /// The architecture with the fewest parameters that are wrong, where none fits.
  var closest: Miss?

  struct Array: Encodable {
    var name: String
    var elementType: String
    var shape: [Int]
    var bytes: Int
    /// How many different values there are; nil where there are more than are counted.
    var distinctValues: Int?
    /// The share of elements that are exactly 0.
    var zeros: Double
  }

  struct Fit: Encodable {
    var architecture: String
    var settings: [String: String]
    var ignoredArrays: Int
  }

  struct Miss: Encodable {
    var architecture: String
    var problems: [String]
  }

  init(path: String) throws(CommandError) {
    file = path
    try FilePath.requireReadable(path)
    sourceBytes = try FilePath.byteCount(of: path)
    let read: [(name: String, tensor: Tensor)]
    do {
      read = try NumPy.readArchive(path)
    } catch {
      throw CommandError(error)
    }
    arrays = read.map { entry in
      let statistics = ElementStatistics(entry.tensor)
      return Array(
        name: entry.name, elementType: entry.tensor.elementType.rawValue,
        shape: entry.tensor.shape.dimensions, bytes: entry.tensor.byteCount,
        distinctValues: statistics.distinctValues, zeros: statistics.zeros)
    }
    fits = []
    try match(read, byteCount: sourceBytes)
  }

  private mutating func match(
    _ read: [(name: String, tensor: Tensor)], byteCount: Int
  ) throws(CommandError) {
    for name in Architecture.names {
      let architecture = try ModelLoader.architecture(name)
      do {
        let use = try architecture.use(by: read)
        let settings = use.settings.map { ($0.name, $0.value) }
        fits.append(
          Fit(
            architecture: name, settings: Dictionary(settings) { first, _ in first },
            ignoredArrays: use.ignoredArrays.count))
      } catch {
        guard case .parameters(let problems) = error.reason else { continue }
        if problems.count < closest?.problems.count ?? arrays.count {
          closest = Miss(architecture: name, problems: problems.map(\.description))
        }
      }
    }
    if !fits.isEmpty { closest = nil }
  }

  var text: String {
    var table = TextTable([
      ("array", .left), ("type", .left), ("shape", .left), ("bytes", .right),
      ("values", .right), ("zeros", .right),
    ])
    for array in arrays {
      table.add([
        array.name, array.elementType, Shape(array.shape).description,
        Formatting.grouped(array.bytes),
        array.distinctValues.map { Formatting.grouped($0) }
          ?? "> " + Formatting.grouped(ElementStatistics.mostDistinctValues),
        Formatting.fixed(100 * array.zeros, digits: 1) + " %",
      ])
    }
    let count = "\(arrays.count) arrays, \(Formatting.grouped(sourceBytes)) bytes"
    return "\(file): NumPy archive, \(count)\n\n" + table.text + "\n" + fitText
  }

  private var fitText: String {
    let lines = fits.map { fit in
      let settings = fit.settings.sorted { $0.key < $1.key }.map { " --set \($0.key)=\($0.value)" }
      return "fits --architecture \(fit.architecture)\(settings.joined())\n"
    }
    guard lines.isEmpty else { return lines.joined() }
    guard let closest else { return "no architecture of the toolkit fits\n" }
    let listed = closest.problems.prefix(5).map { "  \($0)\n" }.joined()
    let rest = closest.problems.count > 5 ? "  and \(closest.problems.count - 5) more\n" : ""
    return
      "no architecture of the toolkit fits; the closest is \(closest.architecture):\n\(listed)\(rest)"
  }
}

/// What values an array holds.
private struct ElementStatistics {
  /// nil where there are more than ``mostDistinctValues``.
  var distinctValues: Int?
  var zeros: Double

  static let mostDistinctValues = 4096

  init(_ tensor: Tensor) {
    // 64-bit integers that are no doubles are rare among parameters, and only counted here.
    let values = tensor.doubles
    var seen = Set<UInt64>()
    var zeroCount = 0
    for value in values {
      if value == 0 { zeroCount += 1 }
      if seen.count <= Self.mostDistinctValues { seen.insert((value == 0 ? 0 : value).bitPattern) }
    }
    distinctValues = seen.count <= Self.mostDistinctValues ? seen.count : nil
    zeros = values.isEmpty ? 0 : Double(zeroCount) / Double(values.count)
  }
}
