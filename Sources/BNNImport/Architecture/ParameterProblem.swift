/// What is wrong with a parameter that a description reads from a checkpoint, or with an array that
/// it does not read.
public enum ParameterProblem: Hashable, Sendable {
  /// `nearest` is an array of a similar name that nothing reads.
  case missing(name: String, nearest: String?)
  case shape(name: String, found: [Int], expected: [Int])
  /// `nearest` is a parameter of a similar name that is missing.
  case unexpected(name: String, nearest: String?)
}

extension ParameterProblem {
  var missingName: String? {
    if case .missing(let name, _) = self { name } else { nil }
  }

  /// The problem with the name that is most like its own, if one is.
  func with(nearest names: [String]) -> ParameterProblem {
    switch self {
    case .missing(let name, _): .missing(name: name, nearest: Self.nearest(to: name, in: names))
    case .unexpected(let name, _):
      .unexpected(name: name, nearest: Self.nearest(to: name, in: names))
    case .shape: self
    }
  }

  private static func nearest(to name: String, in names: [String]) -> String? {
    // Beyond this many names the mistake is another one, and comparing all pairs takes long.
    guard names.count <= 500 else { return nil }
    let limit = max(2, name.utf8.count / 4)
    let distances = names.map {
      (name: $0, distance: editDistance(Array(name.utf8), Array($0.utf8)))
    }
    let best = distances.min { $0.distance < $1.distance }
    return best.flatMap { $0.distance <= limit ? $0.name : nil }
  }

  /// Levenshtein's distance: how many characters to insert, remove or replace.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let change = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(change, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
