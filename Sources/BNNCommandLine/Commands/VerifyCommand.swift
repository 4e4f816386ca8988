import ArgumentParser
import BNNKit

/// `bnnverify`: a source and its `.bnn`, a `.bnn` alone, or an ONNX model and its recorded data.
package struct VerifyCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    tool: "bnnverify", abstract: "Verify that a model computes what it should.",
    discussion: """
      bnnverify SOURCE MODEL.bnn compares layer by layer and end to end, on seeded inputs or on \
      those of --input; with --expected also against recorded outputs.

      bnnverify MODEL.onnx --test-data DIR compares our reading of a model with its recorded \
      outputs: input_N.pb and output_N.pb, as ONNX's own tests have them.

      bnnverify MODEL.bnn checks the file, then compares kernels and numbers of threads, bit for \
      bit, on a seeded input.

      Exit code 0 when everything matches, 1 when something does not.
      """,
    usage: """
      bnnverify <source> <model.bnn> [options]
      bnnverify <model.onnx> --test-data <dir> [options]
      bnnverify <model.bnn> [options]
      """)

  @Argument(help: "The source (.onnx or .npz), or the only model.")
  var source: String

  @Argument(help: "The .bnn that was made from the source.")
  var model: String?

  @Option(
    help: ArgumentHelp(
      "Folder with input_N.pb and output_N.pb, or with such folders.", valueName: "dir"))
  var testData: String?

  @Option(help: ArgumentHelp("An input (.npy, .pb) to compare on.", valueName: "[name=]file"))
  var input: [String] = []

  @Option(help: ArgumentHelp("A recorded output for --input.", valueName: "[name=]file"))
  var expected: [String] = []

  @Option(
    help: ArgumentHelp(
      "Largest error that counts as equal: relative to a layer's largest value (1e-4 unless "
        + "given), with --test-data relative to each number (1e-3).", valueName: "number"))
  var tolerance: Double?

  @OptionGroup var sourceOptions: SourceOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var seed: SeedOptions
  @OptionGroup var common: OutputOptions

  package init() {}

  package func validate() throws {
    if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
      throw ValidationError("--tolerance: give a number that is not negative")
    }
    if testData != nil && model != nil {
      throw ValidationError("--test-data is for one .onnx model, without a .bnn")
    }
    if model == nil && !(input.isEmpty && expected.isEmpty) {
      throw ValidationError("--input and --expected need a source and a .bnn")
    }
    if !expected.isEmpty && input.isEmpty {
      throw ValidationError("--expected needs the inputs that belong to it; add --input")
    }
  }

  package mutating func run() throws {
    let matches: Bool
    if let model {
      matches = try verify(model: model)
    } else if let testData {
      matches = try verify(testData: testData)
    } else {
      matches = try verifyKernels()
    }
    if !matches { throw ExitCode(ExitStatus.mismatch.rawValue) }
  }

  private func verify(testData: String) throws(CommandError) -> Bool {
    _ = try ModelFormat(ofFile: source, allowed: [.onnx])
    let graph = try ModelLoader.source(source, sourceOptions).graph
    var check = RecordedDataCheck(model: GraphModel(graph, fileName: source), path: source)
    if let tolerance { check.relative = tolerance }
    let report = try check.report(folder: testData)
    try show(report, text: report.text)
    return report.verdict == "match"
  }

  private func verifyKernels() throws(CommandError) -> Bool {
    guard FilePath.suffix(of: source) == "bnn" else {
      throw CommandError(
        .usage, file: source, "compared with what? give a .bnn, or --test-data DIR")
    }
    let console = common.console
    let check = KernelCheck(
      model: try ModelLoader.file(source), path: source, threads: max(threads.threads, 2),
      seed: seed.seed)
    let report = try check.report { console.progress($0) }
    console.endProgress()
    try show(report, text: report.text)
    return report.verdict == "match"
  }

  private func show(_ report: some Encodable, text: String) throws(CommandError) {
    if common.json {
      try JSONDocument.print(report)
    } else if common.printsText {
      try Console.writeResult(text)
    }
  }
}

extension VerifyCommand {
  private func verify(model path: String) throws(CommandError) -> Bool {
    throw CommandError(.unsupported, file: path, "comparing with a source is not possible yet")
  }
}
