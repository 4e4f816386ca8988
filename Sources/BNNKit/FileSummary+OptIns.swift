extension FileSummary {
  /// How many kernels a layer keeps in the estimate of what a codebook would save.
  private static let kernels = 32

  /// What each lossy choice would save in a file that is given by its bytes.
  public static func savings(decoding bytes: [UInt8]) throws(FormatError) -> [Saving] {
    try savings(decoding: bytes) { LimitKernels.limited($0, to: kernels) }
  }
}
