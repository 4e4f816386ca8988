import Foundation

/// Questions about a path.
enum FilePath {
  /// The part after the last dot of the last component, in lower case; empty when there is none.
  static func suffix(of path: String) -> String {
    guard let file = path.split(separator: "/").last, let dot = file.lastIndex(of: ".") else {
      return ""
    }
    return file[file.index(after: dot)...].lowercased()
  }

  static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// Throws unless a file can be opened for reading (66).
  static func requireReadable(_ path: String) throws(CommandError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw CommandError(
        .noInput, file: path, "cannot be read: \(systemMessage()); check the path")
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw CommandError(.noInput, file: path, "is a folder; give a file")
    }
    guard access(path, R_OK) == 0 else {
      throw CommandError(
        .noInput, file: path, "cannot be read: \(systemMessage()); check its permissions")
    }
  }

  /// Throws when a file is there and may not be replaced (73), or its folder is missing (73).
  static func requireCreatable(_ path: String, overwriting: Bool) throws(CommandError) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else {
        throw CommandError(.cannotCreate, file: path, "is a folder; give the path of a file")
      }
      guard overwriting else {
        throw CommandError(
          .cannotCreate, file: path, "exists already; use --force to replace it")
      }
    }
    let folder = folder(of: path)
    guard access(folder, W_OK | X_OK) == 0 else {
      throw CommandError(
        .cannotCreate, file: path,
        "cannot be written: folder \(folder): \(systemMessage()); choose another path")
    }
  }

  /// Removes a file that a failed command has made.
  static func remove(_ path: String) { unlink(path) }

  static func byteCount(of path: String) throws(CommandError) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw CommandError(.noInput, file: path, "cannot be read: \(systemMessage())")
    }
    return Int(status.st_size)
  }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
}
