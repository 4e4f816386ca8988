import BNNTensor

extension NumPy {
  /// Reads every array of an archive (`np.savez`, `np.savez_compressed`) in the archive's order,
  /// under their names without `.npy`.
  public static func readArchive(
    _ path: String
  ) throws(ImportError) -> [(name: String, tensor: Tensor)] {
    try reading(path) { () throws(ImportFault) in
      let archive = try ZipArchive(path)
      // Zeros compress to a thousandth; parameters of networks do not. What would need more
      // memory than this is a trap.
      var allowance = (try InputFile(path).byteCount) * 64 + 256 << 20
      var arrays: [(name: String, tensor: Tensor)] = []
      var names = Set<String>()
      for index in 0..<archive.entryCount {
        let entry = try archive.entry(index)
        allowance -= entry.byteCount
        let array = try NumPy.array(entry, of: archive, allowed: allowance >= 0)
        guard names.insert(array.name).inserted else {
          throw ImportFault(.duplicateEntry, at: .entry(name: entry.name))
        }
        arrays.append(array)
      }
      return arrays
    }
  }

  /// Writes named arrays as an archive, uncompressed like `np.savez`.
  public static func writeArchive(
    _ arrays: [(name: String, tensor: Tensor)], _ path: String
  ) throws(ImportError) {
    try reading(path) { () throws(ImportFault) in
      var names = Set<String>()
      for (name, _) in arrays where !names.insert(name).inserted {
        throw ImportFault(.duplicateEntry, at: .entry(name: name))
      }
      guard !arrays.isEmpty else { throw ImportFault(.cannotWrite(cause: "there are no arrays")) }
      try ZipArchive.write(
        arrays.map { ($0.name + ".npy", NumPyEncoder.encode($0.tensor)) }, to: path)
    }
  }

  private static func array(
    _ entry: ZipArchive.Entry, of archive: borrowing ZipArchive, allowed: Bool
  ) throws(ImportFault) -> (name: String, tensor: Tensor) {
    do throws(ImportFault) {
      let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.first != "", !parts.contains(".."), !entry.name.contains("\\") else {
        throw ImportFault(.entryOutside)
      }
      guard entry.name.hasSuffix(".npy") else { throw ImportFault(.notAnArrayEntry) }
      guard allowed else { throw ImportFault(.tooManyBytes(entry.byteCount)) }
      let bytes = try archive.read(entry, headCount: NumPyHeader.maximumByteCount) {
        (head) throws(ImportFault) in try NumPyHeader(head).totalByteCount
      }
      return (String(entry.name.dropLast(4)), try NumPyHeader.decodeArray(bytes))
    } catch {
      throw ImportFault(error.reason, at: .entry(name: entry.name))
    }
  }
}
