import BNNKit
import Foundation
import Testing

/// Every recorded test model: converted with default options, written, read, run and verified.
@Suite(.enabled(if: Models.isPresent, "BNN_MODELS is not set"))
struct AllModelsTests {
  @Test func everyModelConvertsAndVerifies() async throws {
    let runs = try RecordedRun.all()
    let results = await withTaskGroup(of: (Int, ModelResult).self) { group in
      for (index, run) in runs.enumerated() {
        group.addTask { (index, ModelResult(of: run)) }
      }
      return await group.reduce(into: [Int: ModelResult]()) { $0[$1.0] = $1.1 }
    }
    let rows = runs.indices.compactMap { results[$0] }
    print(SupportedModels.table(rows))
    for row in rows {
      #expect(row.verdict == "match", "\(row.name): \(row.problems.joined(separator: "; "))")
    }
    try SupportedModels.check(rows)
  }
}

/// What came of one model.
struct ModelResult {
  var name: String
  var operators: [String] = []
  var binary = 0
  var float = 0
  var sourceBytes = 0
  var bytes = 0
  var verdict = "mismatch"
  var problems: [String] = []

  init(of run: RecordedRun) {
    name = run.name
    do {
      try check(run)
    } catch {
      problems.append("\(error)")
      verdict = "\(error)".contains("cannot") ? "refused" : "error"
    }
  }

  private mutating func check(_ run: RecordedRun) throws {
    let source = try SourceModel(onnxFile: run.path)
    sourceBytes = source.byteCount
    operators = Set(source.graph.nodes.map { $0.op.definition.name }).sorted()
    let converter = try Converter()
    let conversion = try converter.convert(source)
    let data = try conversion.model.encoded()
    bytes = data.count
    let model = try BinaryModel(decoding: data)
    let layers = LayerReport.layers(of: model, summary: try FileSummary(model))
    binary = layers.count { $0.kind == "binary" }
    float = layers.count - binary
    for pair in run.pairs {
      try compare(model, pair, source.graph)
    }
    let batch = source.graph[source.graph.inputs[0]].type?.fixedShape?[0] ?? 1
    let first = run.pairs[0]
    let some = first.selected(first.inputs).rows(0..<max(batch, run.verifiedRows / batch * batch))
    let resolved = try converter.resolveSigns(of: source)
    let report = try Verifier(
      source: resolved, canonical: conversion.canonical, model: model
    ).verify(inputs: [source.inputName: some])
    problems += report.reasons
    for layer in report.layers where layer.mismatches > 0 {
      problems.append("layer '\(layer.name)': \(layer.mismatches) mismatches")
    }
    let binaryNames = layers.filter { $0.kind == "binary" }.map(\.name)
    for name in try source.binaryProducts(on: some.rows(0..<batch))
    where !binaryNames.contains(where: { $0 == name || $0.hasPrefix(name + ".") }) {
      let reason = conversion.findings.compactMap { finding -> String? in
        if case .keptFloat(name, let reason) = finding { reason } else { nil }
      }
      problems.append("'\(name)' is binary in the source and not in the model: \(reason)")
    }
    if problems.isEmpty { verdict = "match" }
  }

  private mutating func compare(
    _ model: BinaryModel, _ pair: RecordedRun.Pair, _ graph: Graph
  ) throws {
    let session = try InferenceSession(model)
    let output = try session.run([graph[graph.inputs[0]].name: pair.inputs])[0].tensor
    guard output.count == pair.expected.count else {
      return problems.append("\(pair.name): \(output.shape) instead of \(pair.expected.shape)")
    }
    if pair.isClass {
      guard output.integers != pair.expected.integers else { return }
      return problems.append("\(pair.name): other classes")
    }
    let found = Tensor(output.floats, shape: pair.expected.shape)
    let (kept, expected) = (pair.selected(found), pair.selected(pair.expected))
    let distance = kept.distance(to: expected)
    if !(distance <= 1e-4) { problems.append("\(pair.name): outputs differ by \(distance)") }
    if pair.expected.shape.rank == 2, kept.topOne != expected.topOne {
      problems.append("\(pair.name): top-1 differs")
    }
  }
}

extension SourceModel {
  fileprivate var inputName: String { graph[graph.inputs[0]].name }

  /// The convolutions and matrix products of which one operand is a constant with two values at
  /// most per output, and the other, on the given inputs, takes two values: ±s, or 0 and s.
  ///
  /// This looks at numbers only, not at how the network spells them.
  fileprivate func binaryProducts(on inputs: Tensor) throws -> [String] {
    var folded = graph
    try PassPipeline([FoldConstants()]).run(on: &folded)
    var products: [(name: String, data: ValueID)] = []
    for node in folded.nodes {
      switch node.op {
      case .convolution, .gemm, .matMul: break
      default: continue
      }
      guard let x = node.input(0), let w = node.input(1), let weights = folded[w].constant,
        Set(weights.floats.prefix(64).map { abs($0) }).count <= 3,
        Set(weights.floats.map { ($0 * 1e4).rounded() }).count <= 2 * weights.shape[0] + 2
      else { continue }
      products.append((node.name, x))
    }
    let values = try ReferenceExecutor(folded).run(
      [inputName: inputs], keeping: Set(products.map(\.data)))
    return products.filter { product in
      let distinct = Set(values[product.data]?.floats ?? []).subtracting([0])
      let isInput = folded.inputs.contains(product.data)
      return !isInput && (distinct.count == 1 || distinct.count == 2 && distinct.reduce(0, +) == 0)
    }.map(\.name)
  }
}
