import BNNKit
import BNNTestSupport
import Testing

@testable import BNNCommandLine

private let conformanceCases = OnnxTestFolders.all

/// ONNX's own test data, through what `bnnverify MODEL.onnx --test-data DIR` does.
@Suite(.enabled(if: !conformanceCases.isEmpty, "libonnx-testdata is not installed"))
struct ConformanceTests {
  private enum Outcome {
    case passed
    /// The model has an operator, a type or an operator set that is not supported.
    case refusedByName
    case failed(String)
  }

  /// Every model must give its recorded outputs, or be refused for an operator, a type or an
  /// operator set. Exceptions are listed, each with its reason.
  @Test func `Every model passes, is refused by name, or is a known exception`() async {
    var counts = (passed: 0, refused: 0)
    for (name, outcome) in await outcomes() {
      let exception = conformanceExceptions[name]
      switch outcome {
      case .passed:
        counts.passed += 1
        #expect(exception == nil, "\(name) passes; take it off the list")
      case .refusedByName:
        counts.refused += 1
        #expect(exception == nil, "\(name) is refused by name; take it off the list")
      case .failed(let cause):
        #expect(exception != nil, "\(name): \(cause)")
      }
    }
    let listed = conformanceExceptions.count
    print(
      "ONNX's test data: \(counts.passed) passed, \(counts.refused) refused, \(listed) exceptions "
        + "of \(conformanceCases.count)")
    #expect(Set(conformanceExceptions.keys).isSubset(of: conformanceCases))
  }

  private func outcomes() async -> [(String, Outcome)] {
    await withTaskGroup(of: (String, Outcome).self) { group in
      for name in conformanceCases {
        group.addTask { (name, Self.outcome(of: "\(OnnxTestFolders.root)/\(name)")) }
      }
      var outcomes: [(String, Outcome)] = []
      for await outcome in group { outcomes.append(outcome) }
      return outcomes.sorted { $0.0 < $1.0 }
    }
  }

  private static func outcome(of folder: String) -> Outcome {
    let path = folder + "/model.onnx"
    do {
      let report = try RecordedDataCheck(path: path).report(folder: folder)
      return report.verdict == "match" ? .passed : .failed(report.text)
    } catch {
      guard error.status == .unsupported, isRefusedByName(path) else {
        return .failed("\(error.status): \(error.message)")
      }
      return .refusedByName
    }
  }

  private static func isRefusedByName(_ path: String) -> Bool {
    do throws(ImportError) {
      _ = try SourceModel(onnxFile: path)
      return false
    } catch {
      switch error.reason {
      case .unsupportedOperators, .unsupportedElementType, .unsupportedKind,
        .operatorSetUnsupported:
        return true
      default: return false
      }
    }
  }
}
