import BNNKit
import Testing

/// ONNX's own test data through the whole toolkit: import, passes, file and runtime.
@Suite(.enabled(if: !OnnxTestData.all.isEmpty, "libonnx-testdata is not installed"))
struct ConformanceRunTests {
  @Test func `Models give the recorded outputs from their file`() throws {
    var counts: [Outcome: Int] = [:]
    for test in OnnxTestData.all {
      let outcome = try Self.outcome(of: test)
      counts[outcome.kind, default: 0] += 1
      if let reason = ConformanceExceptions.reasons[test.name] {
        #expect(outcome != .reproduced, "\(test.name) is listed: \(reason)")
      } else if case .failed(let problem) = outcome {
        Issue.record("\(test.name): \(problem)")
      }
    }
    let line = counts.map { "\($0.key.title) \($0.value)" }.sorted().joined(separator: ", ")
    print("ONNX test data through the file: \(line)")
  }

  /// What became of a test.
  enum Outcome: Hashable {
    case reproduced
    /// The importer does not know the model, or does not reproduce what is recorded.
    case notImported
    /// The model has types that files do not have.
    case refused, inFloat32
    case failed(String)

    var kind: Outcome { if case .failed = self { .failed("") } else { self } }
    var title: String {
      switch self {
      case .reproduced: "reproduced"
      case .notImported: "not imported"
      case .refused: "of other types and refused"
      case .inFloat32: "of other types and computed in float32"
      case .failed: "excepted"
      }
    }
  }

  /// Layer by layer against the reference, too.
  private static func verified(
    _ source: SourceModel, _ conversion: Conversion, _ inputs: [String: Tensor]
  ) throws -> Outcome {
    let verifier = Verifier(
      source: try Converter().resolveSigns(of: source), canonical: conversion.canonical,
      model: conversion.model)
    let report = try verifier.verify(inputs: inputs)
    return report.verdict == .match
      ? .reproduced : .failed("verification: \(report.reasons) \(report.layers)")
  }

  private static func outcome(of test: OnnxTestData) throws -> Outcome {
    guard let model = try? test.model(), let inputs = try? test.inputs(of: model),
      let expected = try? test.outputs(count: model.graph.outputs.count)
    else { return .notImported }
    let reference = try? ReferenceExecutor(model.graph).run(inputs)
    guard let results = reference.map({ run in model.graph.outputs.compactMap { run[$0] } }),
      results.count == expected.count, zip(results, expected).allSatisfy({ $0.agrees(with: $1) })
    else { return .notImported }
    let hasFileTypes = (Array(inputs.values) + expected).allSatisfy {
      [.float32, .int32, .int64, .bool].contains($0.elementType)
    }
    do {
      let conversion = try Converter(options: ConversionOptions(allowsFloat: true)).convert(model)
      let read = try BinaryModel(decoding: conversion.model.encoded())
      let found = try InferenceSession(read).run(inputs).map(\.tensor)
      guard found.map(\.shape) == expected.map(\.shape) else { return .failed("other shapes") }
      guard hasFileTypes else { return .inFloat32 }
      for (result, wanted) in zip(found, expected) where !result.agrees(with: wanted) {
        return .failed("\(result) is not \(wanted)")
      }
      return try verified(model, conversion, inputs)
    } catch let error as ConversionError {
      return hasFileTypes ? .failed("\(error)") : .refused
    } catch {
      return .failed("\(error)")
    }
  }
}

extension Tensor {
  /// Same type and shape; integers and bools exactly, floats within ONNX's own tolerance.
  fileprivate func agrees(with expected: Tensor) -> Bool {
    guard elementType == expected.elementType, shape == expected.shape else { return false }
    guard elementType.isFloatingPoint else { return self == expected }
    return zip(doubles, expected.doubles).allSatisfy { found, wanted in
      found == wanted || (found.isNaN && wanted.isNaN)
        || abs(found - wanted) <= 1e-7 + 1e-3 * abs(wanted)
    }
  }
}
