import BNNGraph
import BNNTensor

/// Decides the shapes of a source's inputs: as declared, or as the caller gives them.
struct InputShapes {
  private let given: [String?: [Int?]]

  init(_ options: ImportOptions) { given = options.inputShapes }

  /// Checks that every given shape belongs to one of the inputs.
  func check(against names: [String]) throws(ImportFault) {
    for case let name? in given.keys.sorted(by: { ($0 ?? "") < ($1 ?? "") })
    where !names.contains(name) {
      throw ImportFault(.noSuchInput(available: names), at: .input(name: name))
    }
    if given.keys.contains(nil), names.count != 1 {
      throw ImportFault(.severalInputs(available: names))
    }
  }

  /// The extents of an input.
  ///
  /// - Parameter declared: what the source says: nil for nothing at all, else one entry per
  ///   dimension, nil where it is open.
  func dimensions(of name: String, declared: [Int?]?) throws(ImportFault) -> [Dimension] {
    let place = ImportError.Place.input(name: name)
    var extents = declared
    if let shape = given[name] ?? given[nil] {
      extents = try merge(shape, with: declared, at: place)
    }
    let needed = ImportFault(.shapeNeeded(declared: Self.text(declared)), at: place)
    guard let extents else { throw needed }
    var dimensions: [Dimension] = []
    for (axis, extent) in extents.enumerated() {
      switch extent {
      case let extent?: dimensions.append(.fixed(extent))
      case nil where axis == 0: dimensions.append(.batch(1))
      case nil: throw needed
      }
    }
    return dimensions
  }

  private func merge(
    _ shape: [Int?], with declared: [Int?]?, at place: ImportError.Place
  ) throws(ImportFault) -> [Int?] {
    let conflict = ImportFault(
      .shapeConflict(given: Self.text(shape), declared: Self.text(declared)), at: place)
    guard shape.allSatisfy({ ($0 ?? 1) >= 1 }) else { throw conflict }
    guard let declared else { return shape }
    guard shape.count == declared.count else { throw conflict }
    for case let (extent?, fixed?) in zip(shape, declared) where extent != fixed { throw conflict }
    return zip(shape, declared).map { $0 ?? $1 }
  }

  /// Extents as in `[?,3,224,224]`.
  private static func text(_ extents: [Int?]?) -> String {
    guard let extents else { return "no shape" }
    return "[" + extents.map { $0.map(String.init) ?? "?" }.joined(separator: ",") + "]"
  }
}
