extension Architecture {
  /// The descriptions that the toolkit ships, by name.
  private static let library: [String: [UInt8]] = [
    "bireal-18": PackageResources.bireal_18_json
  ]

  /// The names of the architectures that the toolkit ships, in order.
  public static var names: [String] { library.keys.sorted() }

  /// An architecture that the toolkit ships; see ``names``.
  public init(named name: String) throws(ImportError) {
    guard let bytes = Self.library[name] else {
      throw ImportError(file: name, reason: .unknownArchitecture(known: Self.names))
    }
    try self.init(bytes: bytes, name: name)
  }
}
