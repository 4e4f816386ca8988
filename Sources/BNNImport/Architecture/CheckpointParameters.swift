import BNNTensor

/// The arrays of a checkpoint by name, and which of them were used.
struct CheckpointParameters {
  private let arrays: [String: Tensor]
  private var used = Set<String>()

  init(_ arrays: [(name: String, tensor: Tensor)]) {
    self.arrays = Dictionary(arrays.map { ($0.name, $0.tensor) }) { first, _ in first }
  }

  func has(_ name: String) -> Bool { arrays[name] != nil }

  /// An array as float32.
  mutating func take(_ name: String) -> Tensor? {
    guard let tensor = arrays[name] else { return nil }
    used.insert(name)
    return tensor.elementType == .float32 ? tensor : Tensor(tensor.floats, shape: tensor.shape)
  }

  /// The names of arrays that were not used and that no pattern covers, in order.
  func unused(except patterns: [String]) -> [String] {
    arrays.keys.filter { name in
      !used.contains(name) && !patterns.contains { Self.matches(name, $0) }
    }.sorted()
  }

  /// Whether a name is a pattern in which one `*` may stand for anything.
  private static func matches(_ name: String, _ pattern: String) -> Bool {
    guard let star = pattern.firstIndex(of: "*") else { return name == pattern }
    let (head, tail) = (pattern[..<star], pattern[pattern.index(after: star)...])
    return name.hasPrefix(head) && name.hasSuffix(tail)
      && name.utf8.count >= head.utf8.count + tail.utf8.count
  }
}
