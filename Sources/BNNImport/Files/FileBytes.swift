#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reading whole files and parts of files, with the system's calls: a mapped file that shrinks
/// while it is read would end the process.
final class InputFile {
  private let descriptor: Int32
  let byteCount: Int

  init(_ path: String) throws(ImportFault) {
    // Opening a FIFO must not wait for a writer.
    descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw InputFile.openFault() }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let cause = systemMessage()
      close(descriptor)
      throw ImportFault(.cannotOpen(cause: cause))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw ImportFault(.notARegularFile)
    }
    byteCount = Int(status.st_size)
  }

  deinit { close(descriptor) }

  private static func openFault() -> ImportFault {
    errno == ENOENT || errno == ENOTDIR
      ? ImportFault(.notFound) : ImportFault(.cannotOpen(cause: systemMessage()))
  }

  /// The bytes of a range that lies within the file; fewer if the file has shrunk.
  func bytes(from offset: Int, count: Int) throws(ImportFault) -> [UInt8] {
    var failure: String?
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      (filled, failure) = read(UnsafeMutableRawBufferPointer(buffer), from: offset)
    }
    if let failure { throw ImportFault(.readFailed(cause: failure)) }
    return result
  }

  /// Numbers that lie in the file as they lie in memory: CPUs are little-endian.
  func floats(from offset: Int, count: Int) throws(ImportFault) -> [Float] {
    var failure: String?
    let result = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      let found: Int
      (found, failure) = read(UnsafeMutableRawBufferPointer(buffer), from: offset)
      filled = found / 4
    }
    if let failure { throw ImportFault(.readFailed(cause: failure)) }
    guard result.count == count else { throw ImportFault(.truncated(offset: offset)) }
    return result
  }

  /// Fills a buffer as far as the file goes.
  private func read(
    _ buffer: UnsafeMutableRawBufferPointer, from offset: Int
  ) -> (count: Int, failure: String?) {
    var filled = 0
    while filled < buffer.count, let base = buffer.baseAddress {
      let found = pread(descriptor, base + filled, buffer.count - filled, off_t(offset + filled))
      if found < 0, errno == EINTR { continue }
      if found < 0 { return (filled, systemMessage()) }
      if found == 0 { break }
      filled += found
    }
    return (filled, nil)
  }

  func allBytes() throws(ImportFault) -> [UInt8] { try bytes(from: 0, count: byteCount) }
}

/// What the system says about the last failed call.
func systemMessage() -> String { String(cString: strerror(errno)) }

/// Writes a file as a whole: under a temporary name first, so that no half-written file is left.
func writeFile(_ bytes: [UInt8], to path: String) throws(ImportFault) {
  let temporary = path + ".\(getpid()).tmp"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw ImportFault(.cannotWrite(cause: systemMessage())) }
  var cause: String?
  bytes.withUnsafeBytes { buffer in
    var done = 0
    while done < buffer.count, let base = buffer.baseAddress {
      let count = write(descriptor, base + done, buffer.count - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        cause = systemMessage()
        return
      }
      done += count
    }
  }
  if close(descriptor) != 0, cause == nil { cause = systemMessage() }
  if cause == nil, rename(temporary, path) != 0 { cause = systemMessage() }
  if let cause {
    unlink(temporary)
    throw ImportFault(.cannotWrite(cause: cause))
  }
}

/// The path with every symbolic link resolved, or nil when there is no such file.
func resolvedPath(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}

/// The folder that a path names a file in.
func folder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

extension [UInt8] {
  /// `withUnsafeBytes` with a typed error.
  func withRawBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(ImportFault) -> Result
  ) throws(ImportFault) -> Result {
    try withUnsafeBufferPointer { (buffer) throws(ImportFault) -> Result in
      try body(UnsafeRawBufferPointer(buffer))
    }
  }
}
