import BNNKit

/// Whether a `.bnn` computes the same bits with every kernel and any number of threads.
struct KernelCheck {
  var model: BinaryModel
  var path: String
  var threads: Int
  var seed: UInt64

  /// One way to run the model.
  private struct Variant {
    var title: String
    var kernels: KernelChoice
    var threads: Int
  }

  private var variants: [Variant] {
    [
      Variant(title: "scalar kernels, 1 thread", kernels: .scalar, threads: 1),
      Variant(title: "scalar kernels, \(threads) threads", kernels: .scalar, threads: threads),
      Variant(title: "best kernels, 1 thread", kernels: .best, threads: 1),
      Variant(title: "best kernels, \(threads) threads", kernels: .best, threads: threads),
    ]
  }

  func report(
    batch: Int = 3, progress: (String) -> Void
  ) throws(CommandError) -> KernelCheckReport {
    var generator = InputGenerator(seed: seed)
    let ports = model.inputs.map { Port(model.values[$0]) }
    let inputs = try generator.tensors(for: ports, batch: batch)
    var reference: [NamedTensor]?
    var runs: [KernelCheckReport.Run] = []
    for variant in variants {
      progress(variant.title)
      let runnable = try FileModel(
        model, fileName: path, threads: variant.threads, kernels: variant.kernels)
      let outputs = try runnable.run(inputs)
      let expected = reference ?? outputs
      reference = expected
      let mismatches = zip(outputs, expected).reduce(0) {
        $0 + KernelCheck.mismatches($1.0.tensor, $1.1.tensor)
      }
      runs.append(
        .init(
          name: variant.title, kernels: runnable.kernels,
          compared: outputs.reduce(0) { $0 + $1.tensor.count }, mismatches: mismatches))
    }
    return KernelCheckReport(file: path, runs: runs)
  }

  /// Elements that differ in any bit.
  private static func mismatches(_ a: Tensor, _ b: Tensor) -> Int {
    guard a.shape == b.shape, a.elementType == b.elementType else { return max(a.count, 1) }
    if a == b { return 0 }
    return zip(a.floats, b.floats).count { $0.bitPattern != $1.bitPattern }
  }
}

/// What `bnnverify MODEL.bnn` prints.
struct KernelCheckReport: Encodable {
  var schemaVersion = 1
  var file: String
  var verdict: String
  var runs: [Run]

  struct Run: Encodable {
    var name: String
    var kernels: String
    var compared: Int
    var mismatches: Int
  }

  init(file: String, runs: [Run]) {
    self.file = file
    self.runs = runs
    verdict = runs.allSatisfy { $0.mismatches == 0 } ? "match" : "mismatch"
  }

  var text: String {
    var table = TextTable([
      ("run", .left), ("kernels", .left), ("compared", .right), ("mismatches", .right),
    ])
    for run in runs {
      table.add([
        run.name, run.kernels, Formatting.grouped(run.compared),
        Formatting.grouped(run.mismatches),
      ])
    }
    return "\(file): checksums and rules hold\n\n" + table.text + "verdict: \(verdict)\n"
  }
}
