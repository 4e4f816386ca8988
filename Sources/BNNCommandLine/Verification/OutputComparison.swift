import BNNKit

/// How an output differs from the one that was expected.
struct OutputComparison: Encodable {
  var set: String
  var name: String
  var compared: Int
  /// Elements that differ by more than the tolerance.
  var mismatches: Int
  var maximumError: Double
  /// Why nothing could be compared.
  var problem: String?

  /// Real numbers match within `absolute + relative · |expected|`; NaN matches NaN. Integers and
  /// truth values match when they are equal.
  init(
    set: String, name: String, found: Tensor?, expected: Tensor, relative: Double, absolute: Double
  ) {
    self.set = set
    self.name = name
    compared = expected.count
    mismatches = expected.count
    maximumError = 0
    guard let found else {
      problem = "the model did not make it"
      mismatches = max(mismatches, 1)
      return
    }
    guard found.elementType == expected.elementType, found.shape == expected.shape else {
      problem = "expected \(expected.elementType.rawValue) \(expected.shape)"
      problem? += ", found \(found.elementType.rawValue) \(found.shape)"
      mismatches = max(mismatches, 1)
      return
    }
    guard expected.elementType.isFloatingPoint else {
      mismatches = zip(found.integers, expected.integers).count { $0 != $1 }
      maximumError = zip(found.doubles, expected.doubles).map { abs($0 - $1) }.max() ?? 0
      return
    }
    mismatches = 0
    for (x, y) in zip(found.doubles, expected.doubles) where !(x == y || x.isNaN && y.isNaN) {
      let error = abs(x - y)
      if !(error <= absolute + relative * abs(y)) || y.isInfinite { mismatches += 1 }
      maximumError = max(maximumError, error.isNaN ? .infinity : error)
    }
  }
}

/// The result of comparing with recorded data, as `bnnverify --test-data` prints it.
struct RecordedDataReport: Encodable {
  var schemaVersion = 1
  var file: String
  var verdict: String
  var outputs: [OutputComparison]

  init(file: String, outputs: [OutputComparison]) {
    self.file = file
    self.outputs = outputs
    verdict = outputs.allSatisfy { $0.mismatches == 0 } ? "match" : "mismatch"
  }

  var text: String {
    var table = TextTable([
      ("data", .left), ("output", .left), ("compared", .right), ("mismatches", .right),
      ("maximum error", .right), ("", .left),
    ])
    for output in outputs {
      table.add([
        output.set, output.name, Formatting.grouped(output.compared),
        Formatting.grouped(output.mismatches), Formatting.scientific(output.maximumError),
        output.problem ?? "",
      ])
    }
    return table.text + "verdict: \(verdict)\n"
  }
}
