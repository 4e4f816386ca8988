import CZip

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An archive that is read. The only code that sees libzip.
struct ZipArchive: ~Copyable {
  private let handle: OpaquePointer
  let entryCount: Int

  struct Entry {
    var index: Int
    var name: String
    /// Uncompressed, as the archive's directory says.
    var byteCount: Int
  }

  init(_ path: String) throws(ImportFault) {
    // Says what libzip cannot: that there is no file, or no file with contents.
    let byteCount = try InputFile(path).byteCount
    guard byteCount > 0 else { throw ImportFault(.empty) }
    var code: Int32 = 0
    guard let handle = zip_open(path, ZIP_RDONLY, &code) else {
      throw ImportFault(.archive(cause: ZipArchive.message(code)))
    }
    self.handle = handle
    entryCount = Int(clamping: zip_get_num_entries(handle, 0))
  }

  deinit { zip_discard(handle) }

  func entry(_ index: Int) throws(ImportFault) -> Entry {
    var status = zip_stat_t()
    zip_stat_init(&status)
    guard zip_stat_index(handle, UInt64(index), 0, &status) == 0, let name = status.name,
      status.valid & UInt64(ZIP_STAT_SIZE) != 0, let byteCount = Int(exactly: status.size)
    else { throw ImportFault(.archive(cause: String(cString: zip_strerror(handle)))) }
    return Entry(index: index, name: String(cString: name), byteCount: byteCount)
  }

  /// Reads an entry, asking after its first bytes how many there should be.
  ///
  /// - Parameters:
  ///   - headCount: how many bytes the question takes, or fewer when there are no more.
  ///   - expected: given the head, the size that the entry must have.
  func read(
    _ entry: Entry, headCount: Int, expected: ([UInt8]) throws(ImportFault) -> Int
  ) throws(ImportFault) -> [UInt8] {
    guard let file = zip_fopen_index(handle, UInt64(entry.index), 0) else {
      throw ImportFault(.archive(cause: String(cString: zip_strerror(handle))))
    }
    defer { zip_fclose(file) }
    let head = try next(min(headCount, entry.byteCount), of: file)
    let needed = try expected(head)
    guard needed == entry.byteCount else {
      throw ImportFault(.wrongByteCount(found: entry.byteCount, expected: needed))
    }
    let rest = try next(entry.byteCount - head.count, of: file)
    // Reading on to the end makes libzip compare the checksum.
    guard try next(1, of: file, mayEnd: true).isEmpty else {
      throw ImportFault(.wrongByteCount(found: needed + 1, expected: needed))
    }
    return head + rest
  }

  private func next(
    _ count: Int, of file: OpaquePointer, mayEnd: Bool = false
  ) throws(ImportFault) -> [UInt8] {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = 0
      while filled < count, let base = buffer.baseAddress {
        let found = zip_fread(file, base + filled, UInt64(count - filled))
        failed = found < 0
        guard found > 0 else { return }
        filled += Int(found)
      }
    }
    if failed { throw ImportFault(.archive(cause: String(cString: zip_file_strerror(file)))) }
    guard mayEnd || bytes.count == count else {
      throw ImportFault(.wrongByteCount(found: bytes.count, expected: count))
    }
    return bytes
  }

  fileprivate static func message(_ code: Int32) -> String {
    var error = zip_error_t()
    zip_error_init_with_code(&error, code)
    defer { zip_error_fini(&error) }
    return String(cString: zip_error_strerror(&error))
  }
}

extension ZipArchive {
  /// Writes an archive of uncompressed entries. The same entries give the same bytes: all are
  /// dated 1980-01-01.
  static func write(
    _ entries: [(name: String, bytes: [UInt8])], to path: String
  ) throws(ImportFault) {
    var code: Int32 = 0
    guard let handle = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code) else {
      throw ImportFault(.cannotWrite(cause: message(code)))
    }
    var cause: String?
    for (name, bytes) in entries where cause == nil {
      if !add(bytes, name, to: handle) { cause = String(cString: zip_strerror(handle)) }
    }
    // libzip writes under a temporary name and renames when it closes.
    if cause == nil, zip_close(handle) != 0 { cause = String(cString: zip_strerror(handle)) }
    if let cause {
      zip_discard(handle)
      throw ImportFault(.cannotWrite(cause: cause))
    }
  }

  private static func add(_ bytes: [UInt8], _ name: String, to handle: OpaquePointer) -> Bool {
    // The source reads the copy when the archive is closed, and frees it.
    guard let copy = malloc(max(1, bytes.count)) else { return false }
    bytes.withUnsafeBytes { if let base = $0.baseAddress { memcpy(copy, base, bytes.count) } }
    guard let source = zip_source_buffer(handle, copy, UInt64(bytes.count), 1) else {
      free(copy)
      return false
    }
    let index = zip_file_add(handle, name, source, UInt32(ZIP_FL_ENC_UTF_8))
    guard index >= 0 else {
      zip_source_free(source)
      return false
    }
    return zip_set_file_compression(handle, UInt64(index), ZIP_CM_STORE, 0) == 0
      && zip_file_set_dostime(handle, UInt64(index), 0, 0x21, 0) == 0
  }
}
