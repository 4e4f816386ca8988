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
      "For a .bnn with lossy choices: the calibration data (.npy, .pb) that it was made with; "
        + "repeat for several inputs.", valueName: "[name=]file"))
  var calibration: [String] = []

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
    if model == nil && !(input.isEmpty && expected.isEmpty && calibration.isEmpty) {
      throw ValidationError("--input, --expected and --calibration need a source and a .bnn")
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
      matches = try verifyAlone()
    }
    if !matches { throw ExitCode(ExitStatus.mismatch.rawValue) }
  }

  private func verify(testData: String) throws(CommandError) -> Bool {
    _ = try ModelFormat(ofFile: source, allowed: [.onnx])
    var check = RecordedDataCheck(path: source, options: try sourceOptions.importOptions())
    if let tolerance { check.relative = tolerance }
    let report = try check.report(folder: testData)
    try show(report, text: report.text)
    return report.verdict == "match"
  }

  private func verifyAlone() throws(CommandError) -> Bool {
    guard FilePath.suffix(of: source) == "bnn" else {
      throw CommandError(
        .usage, file: source, "compared with what? give a .bnn, or --test-data DIR")
    }
    let model = try ModelLoader.file(source)
    let check = SelfCheck(model, threads: max(threads.threads, 2), seed: seed.seed)
    let report: SelfCheck.Report
    do {
      report = try check.run()
    } catch {
      throw CommandError(error, source: source, model: source)
    }
    try show(
      VerificationDocument(model: source, report: report),
      text: "\(source): checksums and rules hold\n\(report)\n")
    return report.verdict == .match
  }

  private func show(_ report: some Encodable, text: String) throws(CommandError) {
    if common.json {
      try JSONDocument.print(report)
    } else if common.printsText {
      try Console.writeResult(text)
    }
  }
}

// MARK: A source and its model

extension VerifyCommand {
  private func verify(model path: String) throws(CommandError) -> Bool {
    _ = try ModelFormat(ofFile: path, allowed: [.bnn])
    let console = common.console
    let source = try ModelLoader.source(source, sourceOptions)
    let model = try ModelLoader.file(path)
    var (inputs, expected) = try recordedTensors(of: source.graph)

    console.progress("converting \(self.source)")
    var converter = try converter(of: model, path: path)
    converter.options.calibration = try TensorFile.read(
      calibration, option: "--calibration", for: source.graph)
    converter.progress = { console.progress($0) }
    let limit: Double?
    if inputs == nil, !converter.options.calibration.isEmpty {
      inputs = converter.options.calibration
      limit = converter.outputLimit(seed: nil)
    } else {
      limit = inputs == nil ? converter.outputLimit(seed: seed.seed) : nil
    }
    let conversion: Conversion
    do {
      conversion = try converter.convert(source)
    } catch {
      throw CommandError(error)
    }
    console.progress("comparing")
    let check = SourceCheck(
      source: source, sourcePath: self.source, converter: converter,
      canonical: conversion.canonical, exact: conversion.exact, model: model, modelPath: path,
      options: .init(
        tolerance: tolerance ?? 1e-4, seed: seed.seed, threads: threads.threads,
        maximumError: limit))
    let report = try check.report(inputs: inputs, expected: expected)
    console.endProgress()
    try show(
      VerificationDocument(source: self.source, model: path, report: report), text: "\(report)\n")
    return report.verdict == .match
  }

  private func converter(of model: BinaryModel, path: String) throws(CommandError) -> Converter {
    do {
      return try Converter(reproducing: model.provenance)
    } catch {
      throw CommandError(
        .unsupported, file: path, "the conversion cannot be repeated: \(error)")
    }
  }

  /// The tensors of --input and --expected; no inputs mean seeded ones.
  private func recordedTensors(
    of graph: Graph
  ) throws(CommandError) -> (inputs: [String: Tensor]?, expected: [String: Tensor]) {
    guard !input.isEmpty else { return (nil, [:]) }
    let inputs = try TensorFile.read(input, option: "--input", for: graph)
    let outputs = graph.outputs.map { graph[$0].name }
    var expected: [String: Tensor] = [:]
    for (name, path) in try NamedFiles(option: "--expected", arguments: self.expected)
      .resolved(for: outputs)
    {
      expected[name] = try TensorFile.read(path)
    }
    return (inputs, expected)
  }
}
