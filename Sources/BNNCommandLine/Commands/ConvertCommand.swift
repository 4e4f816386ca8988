import ArgumentParser
import BNNKit

/// `bnnconvert`: a trained network becomes a `.bnn`.
package struct ConvertCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    tool: "bnnconvert", abstract: "Convert a trained binary network into a .bnn file.",
    discussion: """
      The source is an .onnx, or an .npz checkpoint with an --architecture: the name of one that the \
      toolkit ships, or a description in JSON. The .bnn computes what the source computes; every \
      layer that did not become binary is listed with the reason.

      Exit code 2 when the model has an operator or a structure that cannot be converted, or \
      nothing in it is binary. Nothing is left at OUTPUT.bnn after a failure.

      Example: bnnconvert digits.onnx digits.bnn --verify --report digits.md
      """,
    usage: """
      bnnconvert <source> <output.bnn> [options]
      bnnconvert <source> --dry-run [options]
      bnnconvert --list-passes | --list-architectures | --describe <architecture>
      """)

  @Argument(help: "The trained network: .onnx or .npz.")
  var source: String?

  @Argument(help: "The file to write: .bnn.")
  var output: String?

  @Option(help: ArgumentHelp("Write a report: .json, .md or .html.", valueName: "file"))
  var report: String?

  @Flag(help: "Replace files that exist.")
  var force = false

  @Flag(help: "Convert, but write no .bnn.")
  var dryRun = false

  @Flag(help: "Verify the result before it is written, as bnnverify does; exit code 1 if it fails.")
  var verify = false

  @Flag(help: "List the passes in their order and stop.")
  var listPasses = false

  @Flag(help: "List the architectures that checkpoints can be read with and stop.")
  var listArchitectures = false

  @Option(
    help: ArgumentHelp(
      "Show the settings and arrays of an architecture (with those of --set) and stop.",
      valueName: "name|file.json"))
  var describe: String?

  @Option(help: ArgumentHelp("Leave a pass out; repeat for several.", valueName: "name"))
  var disablePass: [String] = []

  @Option(
    help: ArgumentHelp(
      "Print the graph as it is after a pass; repeat for several.", valueName: "name"))
  var dumpAfter: [String] = []

  @Flag(help: "Also convert a model in which nothing becomes binary.")
  var allowFloat = false

  @Option(
    help: ArgumentHelp(
      "The bit that a plain Sign gives for 0, which one bit cannot hold: plus or minus.",
      valueName: "plus|minus"))
  var signOfZero: SignOfZero = .plus

  @OptionGroup(title: "Storage") var storage: StorageArguments

  @Option(
    help: ArgumentHelp(
      "Real inputs (.npy, .pb), which show what numbers layers read and what lossy choices change; "
        + "repeat for several inputs.", valueName: "[name=]file"))
  var calibration: [String] = []

  @Option(
    help: ArgumentHelp(
      "How far outputs may move by lossy choices, as a part of the largest one, on the inputs of "
        + "--calibration or 8 seeded ones; exit code 2 beyond it.", valueName: "number"))
  var maxError: Double?

  @Option(
    help: ArgumentHelp(
      "For --verify: largest error of a real-valued layer, relative to its largest value.",
      valueName: "number"))
  var tolerance: Double = 1e-4

  @OptionGroup var binarization: BinarizationOptions
  @OptionGroup var sourceOptions: SourceOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var seed: SeedOptions
  @OptionGroup var common: OutputOptions

  package init() {}

  package func validate() throws {
    if printsAndStops { return }
    guard source != nil else { throw ValidationError("SOURCE is missing: an .onnx or .npz") }
    guard output != nil || dryRun else {
      throw ValidationError("OUTPUT.bnn is missing; without one, give --dry-run")
    }
    guard maxError == nil || isLossy else {
      throw ValidationError("--max-error: nothing is lossy; add \(StorageArguments.names)")
    }
    if let maxError, !(maxError >= 0 && maxError.isFinite) {
      throw ValidationError("--max-error: give a number that is not negative")
    }
    guard calibration.isEmpty || isLossy else {
      throw ValidationError("--calibration: nothing is lossy; add \(StorageArguments.names)")
    }
    guard tolerance >= 0, tolerance.isFinite else {
      throw ValidationError("--tolerance: give a number that is not negative")
    }
    if let report, !["json", "md", "html"].contains(FilePath.suffix(of: report)) {
      throw ValidationError(
        "--report \(report): the suffix decides the format; .json, .md or .html")
    }
  }

  package mutating func run() throws {
    var converter = try converter()
    guard let source, !printsAndStops else {
      return try printList(converter.lossyPipeline(for: Graph()))
    }
    try checkDestinations()

    let console = common.console
    console.progress("reading \(source)")
    let model = try ModelLoader.source(source, sourceOptions)
    converter.options.calibration = try TensorFile.read(
      calibration, option: "--calibration", for: model.graph)
    converter.progress = { console.progress($0) }
    let conversion = try convert(consume model, with: converter, console)
    let bytes = try encode(conversion.model, path: source)
    if verify { try verify(conversion, by: converter, bytes: bytes, path: source) }
    console.endProgress()
    let report = try makeReport(conversion, bytes: bytes, path: source)
    for note in report.notes { console.warn(note) }
    try write(bytes, report)
    try show(report, path: source)
  }

  private var isLossy: Bool { storage.isLossy || !binarization.binarize.isEmpty }

  // MARK: Before

  private func converter() throws(CommandError) -> Converter {
    let names = PassPipeline.standard().passes.map(\.name)
    let known = names + Converter.lossyPasses
    for name in disablePass.filter({ !names.contains($0) })
      + dumpAfter.filter({ !known.contains($0) })
    {
      let list = names.joined(separator: ", ")
      throw CommandError(.usage, "there is no pass '\(name)'; expected one of \(list)")
    }
    do {
      return try Converter(
        options: ConversionOptions(
          signOfZero: signOfZero, disabledPasses: names.filter(disablePass.contains),
          allowsFloat: allowFloat, storage: storage.options(), maximumError: maxError,
          binarization: binarization.binarize,
          binarizesActivations: binarization.binarizeActivations))
    } catch {
      throw CommandError(.usage, "\(error)")
    }
  }

  /// What can be known to fail is refused before the work.
  private func checkDestinations() throws(CommandError) {
    if let output {
      _ = try ModelFormat(ofFile: output, allowed: [.bnn])
      if !dryRun { try FilePath.requireCreatable(output, overwriting: force) }
    }
    if let report { try FilePath.requireCreatable(report, overwriting: force) }
  }

  // MARK: The work

  private func convert(
    _ model: consuming SourceModel, with converter: Converter, _ console: Console
  ) throws(CommandError) -> Conversion {
    var dumps = ""
    let conversion: Conversion
    do {
      conversion = try converter.convert(consume model) { report, graph in
        console.progress("pass \(report.pass)")
        console.detail("pass \(report.pass): \(report.outcome.rewrites.count) rewrites")
        for rewrite in report.outcome.rewrites {
          console.detail("  \(rewrite.node): \(rewrite.change)")
        }
        if dumpAfter.contains(report.pass) { dumps += "# after \(report.pass)\n\(graph)\n" }
      }
    } catch {
      throw CommandError(error)
    }
    // The document on standard output is the only thing there.
    if common.json {
      console.note(dumps)
    } else {
      try Console.writeResult(dumps)
    }
    return conversion
  }

  private func encode(_ model: BinaryModel, path: String) throws(CommandError) -> [UInt8] {
    do {
      return try model.encoded()
    } catch {
      throw CommandError(.unsupported, file: path, "does not fit the format: \(error)")
    }
  }

  /// Verifies what the file will hold; throws when it is not what the source computes.
  private func verify(
    _ conversion: Conversion, by converter: Converter, bytes: [UInt8], path: String
  ) throws(CommandError) {
    let model: BinaryModel
    do {
      model = try BinaryModel(decoding: bytes)
    } catch {
      throw CommandError(error, file: output ?? path)
    }
    let check = SourceCheck(
      source: try ModelLoader.source(path, sourceOptions), sourcePath: path, converter: converter,
      canonical: conversion.canonical, exact: conversion.exact, model: model,
      modelPath: output ?? path,
      options: .init(tolerance: tolerance, seed: seed.seed, threads: threads.threads))
    // Seeded numbers leave the ranges that were found; a few of the real ones do not.
    let inputs = VerificationInputs(
      converter.options.calibration, for: check.source.graph, atMost: 8
    ).runs.first
    let isSeeded = converter.options.calibration.isEmpty
    let report = try check.report(inputs: isSeeded ? nil : inputs)
    guard report.verdict == .match else {
      common.console.note("\(report)")
      throw CommandError(
        .mismatch, file: path, "the result does not match its source; no output written")
    }
    let kind = isSeeded ? "seeded" : "calibration"
    common.console.note("verified: match on \(report.samples) \(kind) inputs")
  }

  private func makeReport(
    _ conversion: Conversion, bytes: [UInt8], path: String
  ) throws(CommandError) -> ConversionReport {
    do {
      // They take longer than the sizes: only for those who read them.
      let savings = report == nil && !common.json ? [] : try FileSummary.savings(decoding: bytes)
      return ConversionReport(
        conversion, summary: try FileSummary(decoding: bytes), savings: savings)
    } catch {
      throw CommandError(error, file: path)
    }
  }

  // MARK: After

  private func write(_ bytes: [UInt8], _ result: ConversionReport) throws(CommandError) {
    let text = try report.map { (path: String) throws(CommandError) -> String in
      switch FilePath.suffix(of: path) {
      case "md": ReportPage(result).markdown
      case "html": ReportPage(result).html
      default: try JSONDocument.text(result)
      }
    }
    if let output, !dryRun {
      do {
        try RegularFile.write(bytes, to: output, overwriting: force)
      } catch {
        throw CommandError(error, file: output)
      }
    }
    guard let report, let text else { return }
    do {
      try TextFile.write(text, to: report)
    } catch {
      if let output, !dryRun { FilePath.remove(output) }
      throw error
    }
  }

  private func show(_ report: ConversionReport, path: String) throws(CommandError) {
    if common.json {
      try JSONDocument.print(report)
    } else if common.printsText {
      try Console.writeResult(report.text(source: path, output: dryRun ? nil : output))
    }
  }
}

extension SignOfZero: ExpressibleByArgument {}
