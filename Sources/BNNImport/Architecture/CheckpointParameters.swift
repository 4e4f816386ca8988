import BNNTensor

/// The arrays of a checkpoint under the names that a description has for them, and which of them
/// were used.
struct CheckpointParameters {
  private let arrays: [String: Tensor]
  /// What the names of the network's arrays begin with.
  let prefix: String
  private var used = Set<String>()
  /// What was wrong with parameters so far.
  private(set) var problems: [ParameterProblem] = []

  init(_ arrays: [(name: String, tensor: Tensor)], prefix: String) {
    self.arrays = Dictionary(arrays.map { ($0.name, $0.tensor) }) { first, _ in first }
    self.prefix = prefix
  }

  /// How many arrays were used.
  var loadedCount: Int { used.count }

  func shape(_ name: String) -> [Int]? { arrays[prefix + name]?.shape.dimensions }

  /// The first of several names that an array has.
  ///
  /// - Returns: float32 in one of the shapes; where there is none, or of another shape, nil, and a
  ///   problem is noted.
  mutating func take(_ names: [String], shapes: [[Int]]?) -> (name: String, tensor: Tensor)? {
    guard let name = names.first(where: { arrays[prefix + $0] != nil }),
      let tensor = arrays[prefix + name]
    else {
      problems.append(.missing(name: prefix + (names.first ?? ""), nearest: nil))
      return nil
    }
    used.insert(prefix + name)
    guard let shape = Self.fit(tensor.shape.dimensions, shapes) else {
      problems.append(
        .shape(
          name: prefix + name, found: tensor.shape.dimensions, expected: shapes?.first ?? []))
      return nil
    }
    let values =
      tensor.elementType == .float32 ? tensor : Tensor(tensor.floats, shape: tensor.shape)
    return (name, values.reshaped(to: Shape(shape)))
  }

  /// The shape to read an array with: as stored, or the one of those expected that has the same
  /// extents but for extents of 1, or that the array was flattened from.
  private static func fit(_ stored: [Int], _ shapes: [[Int]]?) -> [Int]? {
    guard let shapes else { return stored }
    func significant(_ shape: [Int]) -> [Int] { shape.filter { $0 != 1 } }
    return shapes.first { shape in
      let extents = significant(stored)
      return extents == significant(shape)
        || (extents.count <= 1 && (extents.first ?? 1) == shape.reduce(1, *))
    }
  }

  // MARK: What is left over

  /// Sorts the arrays that were not used into those that are known not to belong to the network
  /// and those that are a problem.
  mutating func settle(_ description: ArchitectureDescription) -> [CheckpointUse.IgnoredArray] {
    var ignored: [CheckpointUse.IgnoredArray] = []
    var unexpected: [String] = []
    for name in arrays.keys.sorted() where !used.contains(name) {
      if let reason = reason(toIgnore: name, description) {
        ignored.append(.init(name: name, reason: reason))
      } else {
        unexpected.append(name)
      }
    }
    let missing = problems.compactMap(\.missingName)
    problems = problems.map { $0.with(nearest: unexpected) }
    problems += unexpected.map {
      ParameterProblem.unexpected(name: $0, nearest: nil).with(nearest: missing)
    }
    return ignored
  }

  private func reason(toIgnore name: String, _ description: ArchitectureDescription) -> String? {
    let own = name.dropFirst(name.hasPrefix(prefix) ? prefix.count : 0)
    let known = description.ignored.first { Self.matches(String(own), $0.pattern) }
    return known?.reason ?? Self.reasonToIgnore(name, prefix: prefix)
  }

  /// Why an array is no parameter, for arrays that any checkpoint may have; nil for others.
  static func reasonToIgnore(_ name: String, prefix: String) -> String? {
    if name.hasSuffix("num_batches_tracked") { return "counts batches in training" }
    guard name.hasPrefix(prefix) else { return "lies outside of '\(prefix)'" }
    let parts = name.dropFirst(prefix.count).split(separator: ".").map { $0.lowercased() }
    return parts.contains { $0.hasPrefix("teacher") } ? "belongs to a teacher" : nil
  }

  /// Whether a name is a pattern in which each `*` may stand for anything.
  static func matches(_ name: String, _ pattern: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count > 1, let first = parts.first, let last = parts.last else {
      return name == pattern
    }
    guard name.hasPrefix(first), name.utf8.count >= first.utf8.count + last.utf8.count,
      name.hasSuffix(last)
    else { return false }
    var rest = name.dropFirst(first.count).dropLast(last.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }
}

extension CheckpointParameters {
  /// Finds what the names of a network's arrays begin with, such as `module.`.
  ///
  /// - Parameter wanted: the names that a description reads.
  /// - Throws: if several beginnings fit equally well and none is preferred.
  static func prefix(
    of names: [String], wanted: Set<String>, preferred: [String]
  ) throws(ImportFault) -> String {
    var counts: [String: Int] = [:]
    for name in names {
      var start = name.startIndex
      while true {
        if wanted.contains(String(name[start...])) {
          counts[String(name[..<start]), default: 0] += 1
        }
        guard let dot = name[start...].firstIndex(of: ".") else { break }
        start = name.index(after: dot)
      }
    }
    let most = counts.values.max() ?? 0
    let best = counts.filter { $0.value == most }.keys.sorted()
    guard best.count > 1 else { return best.first ?? "" }
    for choice in [""] + preferred where best.contains(choice) { return choice }
    let own = best.filter { !Self.isCopy($0) }
    guard own.count == 1 else { throw ImportFault(.ambiguousPrefix(best)) }
    return own[0]
  }

  /// Whether a beginning is that of a teacher or of an average of the network.
  private static func isCopy(_ prefix: String) -> Bool {
    prefix.split(separator: ".").contains { part in
      ["teacher", "encoder_k", "ema", "momentum"].contains { part.lowercased().hasPrefix($0) }
    }
  }
}
