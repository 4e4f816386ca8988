/// Where a tensor's elements lie outside the model's file.
struct ExternalData {
  private let folder: String
  private let location: String
  private let offset: Int
  private let length: Int?

  init(_ entries: [(key: String, value: String)], folder: String?) throws(ImportFault) {
    var location: String?
    var offset = 0
    var length: Int?
    for (key, value) in entries {
      switch key {
      case "location": location = value
      case "offset": offset = try ExternalData.number(key, value)
      case "length": length = try ExternalData.number(key, value)
      default: break
      }
    }
    guard let location, !location.isEmpty else {
      throw ImportFault(.invalidExternalData(key: "location", value: ""))
    }
    guard let folder else { throw ImportFault(.externalDataOutside(location: location)) }
    self.folder = folder
    self.location = location
    self.offset = offset
    self.length = length
  }

  private static func number(_ key: String, _ value: String) throws(ImportFault) -> Int {
    guard let number = Int(value), number >= 0 else {
      throw ImportFault(.invalidExternalData(key: key, value: value))
    }
    return number
  }

  /// Where the bytes of a tensor that needs this many lie.
  func elements(needed: Int) throws(ImportFault) -> StoredElements {
    if let length, length != needed {
      throw ImportFault(.wrongByteCount(found: length, expected: needed))
    }
    let file = try InputFile(path())
    guard offset <= file.byteCount, needed <= file.byteCount - offset else {
      throw ImportFault(
        .externalDataTooShort(
          location: location, needed: needed, found: max(0, file.byteCount - offset)))
    }
    return StoredElements(file: file, offset: offset, byteCount: needed)
  }

  /// The file's path, which must lie in the model's folder once links are followed.
  private func path() throws(ImportFault) -> String {
    let outside = ImportFault(.externalDataOutside(location: location))
    guard !location.hasPrefix("/"), !location.contains("\\"),
      !location.split(separator: "/").contains("..")
    else { throw outside }
    guard let root = resolvedPath(folder), let path = resolvedPath(folder + "/" + location) else {
      throw ImportFault(.externalDataMissing(location: location))
    }
    guard path.hasPrefix(root == "/" ? "/" : root + "/") else { throw outside }
    return path
  }
}
