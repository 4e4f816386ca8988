#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension BinaryModel {
  /// Reads a `.bnn` file and checks every rule of the format.
  public init(contentsOfFile path: String) throws(FormatError) {
    try self.init(decoding: RegularFile.read(path))
  }

  /// Writes a `.bnn` file: all of it or nothing.
  ///
  /// - Parameter overwriting: whether a file that is there already may be replaced.
  public func write(toFile path: String, overwriting: Bool = false) throws(FormatError) {
    try RegularFile.write(encoded(), to: path, overwriting: overwriting)
  }
}

/// Whole regular files. Folders, pipes and devices are refused.
package enum RegularFile {
  package static func read(_ path: String) throws(FormatError) -> [UInt8] {
    // Without O_NONBLOCK, opening a pipe would wait for its other end.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: lastError()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .cannotRead(path: path, reason: lastError())
    }
    guard isRegular(status) else { throw .cannotRead(path: path, reason: "not a regular file") }
    guard status.st_size >= 0, UInt64(status.st_size) <= FileLayout.maximumLength else {
      throw .broken(.init(.fileTooLarge(bytes: UInt64(status.st_size)), section: .header))
    }
    return try readAll(descriptor, count: Int(status.st_size), path: path)
  }

  private static func readAll(
    _ descriptor: Int32, count: Int, path: String
  ) throws(FormatError) -> [UInt8] {
    var failure: String?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      while filled < count {
        let space = UnsafeMutableRawBufferPointer(rebasing: raw[filled..<count])
        let got = systemRead(descriptor, space)
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = lastError() }
        // 0: the file became shorter. Its declared length tells.
        guard got > 0 else { break }
        filled += got
      }
    }
    if let failure { throw .io(path: path, reason: failure) }
    return bytes
  }

  /// Writes to a temporary file in the same folder, which then takes the name in one step. Nothing
  /// is left behind on failure.
  package static func write(
    _ bytes: [UInt8], to path: String, overwriting: Bool
  ) throws(FormatError) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard overwriting else { throw .outputExists(path: path) }
      guard isRegular(status) else { throw .cannotWrite(path: path, reason: "not a regular file") }
    }
    let temporary = temporaryName(beside: path)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: lastError()) }
    do {
      try fill(descriptor, with: bytes, path: path)
      try publish(temporary, as: path, overwriting: overwriting)
    } catch {
      unlink(temporary)
      throw error
    }
  }

  private static func fill(
    _ descriptor: Int32, with bytes: [UInt8], path: String
  ) throws(FormatError) {
    var failure: String?
    bytes.withUnsafeBytes { buffer in
      var written = 0
      while written < buffer.count {
        let more = systemWrite(descriptor, .init(rebasing: buffer[written...]))
        if more < 0, errno == EINTR { continue }
        guard more > 0 else {
          failure = lastError()
          return
        }
        written += more
      }
    }
    if failure == nil, fsync(descriptor) != 0 { failure = lastError() }
    if close(descriptor) != 0, failure == nil { failure = lastError() }
    if let failure { throw .io(path: path, reason: failure) }
  }

  private static func publish(
    _ temporary: String, as path: String, overwriting: Bool
  ) throws(FormatError) {
    if !overwriting {
      // A link, unlike a rename, fails when someone else made the file meanwhile.
      if link(temporary, path) == 0 {
        unlink(temporary)
        return
      }
      if errno == EEXIST { throw .outputExists(path: path) }
      // File systems without links: the check at the start has to do.
    }
    guard rename(temporary, path) == 0 else {
      throw .cannotWrite(path: path, reason: lastError())
    }
  }

  private static func temporaryName(beside path: String) -> String {
    let folderEnd = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) }
    let folder = String(path[..<(folderEnd ?? path.startIndex)])
    return folder + ".bnn-" + String(UInt64.random(in: .min ... .max), radix: 36) + ".tmp"
  }

  private static func isRegular(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

  private static func lastError() -> String { String(cString: strerror(errno)) }
}

private func systemRead(_ descriptor: Int32, _ space: UnsafeMutableRawBufferPointer) -> Int {
  read(descriptor, space.baseAddress, min(space.count, 1 << 30))
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, min(bytes.count, 1 << 30))
}
