/// Tests of ONNX that are imported with the recorded results and whose types files have, and that
/// still do not run from a file, with the reason.
enum ConformanceExceptions {
  private static let sign =
    "a plain Sign becomes bits, which have no 0: --sign-of-zero chooses what it gives there"

  static let reasons: [String: String] = [
    "node/test_sign": sign,
    "simple/test_sign_model": sign,
  ]
}
