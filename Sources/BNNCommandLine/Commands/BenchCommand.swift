import ArgumentParser
import BNNKit

/// `bnnbench`: how long one run of a model takes.
package struct BenchCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    tool: "bnnbench", abstract: "Measure the latency of a model.",
    discussion: """
      Runs the model on one seeded input (batch 1 unless --batch says otherwise), first to warm \
      up, then --runs times, and prints the minimum, the median and the 90th percentile, and how long \
      it took to load the model: from opening the file until it can run. A .bnn is run by the \
      runtime, an .onnx by the reference executor, which is made for clarity, not speed.

      Without a model, --kernels times binary convolutions of several shapes, as they run in a \
      network, and checks every result against that of the portable kernels.

      Example: bnnbench digits.bnn --threads 2 --layers
      Example: bnnbench digits.bnn --tune
      Example: bnnbench --kernels all
      """)

  @Argument(help: "The model: .bnn or .onnx.")
  var model: String?

  @Option(help: ArgumentHelp("Measured runs.", valueName: "n"))
  var runs = 50

  @Option(help: ArgumentHelp("Runs before those that are measured.", valueName: "n"))
  var warmup = 5

  @Option(help: ArgumentHelp("Images in a run, where the model leaves that open.", valueName: "n"))
  var batch = 1

  @Flag(help: "Also measure each layer of a .bnn.")
  var layers = false

  @Flag(
    help:
      "Also measure each binary layer of a .bnn with every design that the runtime chooses from.")
  var tune = false

  @Option(
    help: ArgumentHelp(
      "Kernels of an instruction set: best, \(KernelChoice.names), or, without a model, all.",
      valueName: "set"))
  var kernels: String?

  @OptionGroup var source: SourceOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var seed: SeedOptions
  @OptionGroup var common: OutputOptions

  package init() {}

  package func validate() throws {
    guard (1...1_000_000).contains(runs) else {
      throw ValidationError("--runs \(runs): give a number from 1 to 1000000")
    }
    guard (0...1_000_000).contains(warmup) else {
      throw ValidationError("--warmup \(warmup): give a number from 0 to 1000000")
    }
    guard (1...65_536).contains(batch) else {
      throw ValidationError("--batch \(batch): give a number from 1 to 65536")
    }
    guard model != nil || kernels != nil else {
      throw ValidationError("give a model, or --kernels all")
    }
    guard model == nil || kernels != "all" else {
      throw ValidationError("--kernels all is without a model")
    }
    guard kernels == nil || kernels == "all" || KernelChoice(rawValue: kernels ?? "") != nil else {
      throw ValidationError("--kernels \(kernels ?? ""): give best, all, \(KernelChoice.names)")
    }
    guard model != nil || !layers else { throw ValidationError("--layers is for a model") }
    guard model != nil || !tune else { throw ValidationError("--tune is for a model") }
  }

  package mutating func run() throws {
    let choice = kernels.flatMap { KernelChoice(rawValue: $0) }
    if let choice, choice != .best, !KernelChoice.supported.contains(choice) {
      throw CommandError(.usage, "this CPU does not run the kernels '\(choice.rawValue)'")
    }
    guard let path = model else { return try benchKernels(choice) }
    let clock = ContinuousClock()
    let beforeLoading = clock.now
    let model = try ModelLoader.runnable(
      path, source, threads: threads.threads, kernels: choice ?? .best)
    let loading = beforeLoading.duration(to: clock.now)
    guard model is FileModel || (!layers && !tune && choice == nil) else {
      let option = layers ? "--layers" : tune ? "--tune" : "--kernels"
      throw CommandError(.usage, file: path, "\(option) is for a .bnn")
    }
    var generator = InputGenerator(seed: seed.seed)
    let inputs = try generator.tensors(for: model.inputs, batch: batch)

    let console = common.console
    for run in 0..<warmup {
      console.progress("warm-up \(run + 1) of \(warmup)")
      _ = try model.run(inputs)
    }
    var samples: [Double] = []
    for run in 0..<runs {
      if run % 10 == 0 { console.progress("run \(run + 1) of \(runs)") }
      let start = clock.now
      _ = try model.run(inputs)
      samples.append(start.duration(to: clock.now).milliseconds)
    }
    var latencies: [LayerLatency]?
    if layers, let file = model as? FileModel {
      latencies = try file.layerLatencies(inputs: inputs, runs: runs)
    }
    var tuning: Tuning?
    if tune, let file = model as? FileModel {
      console.progress("designs")
      tuning = try file.tuning(inputs: inputs, runs: runs)
    }
    console.endProgress()
    try report(
      BenchResult(
        latencyMilliseconds: Latency(samples), threads: model is FileModel ? threads.threads : 1,
        runs: runs, batch: batch, kernels: model.kernels, loadMilliseconds: loading.milliseconds,
        memoryBytes: (model as? FileModel).map { MemoryBytes($0.memoryUse) }, layers: latencies,
        splitMilliseconds: latencies.map { TimeSplit($0) }, tuning: tuning))
  }

  /// Without a model.
  private func benchKernels(_ choice: KernelChoice?) throws {
    let bench = KernelBench(
      choices: choice.map { [$0] } ?? KernelChoice.supported, threads: threads.threads,
      batch: batch, runs: runs, seed: seed.seed)
    let console = common.console
    let timings = try bench.measure { console.progress($0) }
    console.endProgress()
    let result = KernelBenchResult(
      threads: threads.threads, runs: runs, batch: batch, kernelTimings: timings)
    if common.json {
      try JSONDocument.print(result)
    } else {
      try Console.writeResult(result.text)
    }
    if timings.contains(where: { !$0.agrees }) {
      throw CommandError(.mismatch, "kernels disagree with the portable ones")
    }
  }

  private func report(_ result: BenchResult) throws(CommandError) {
    if common.json {
      try JSONDocument.print(result)
    } else {
      try Console.writeResult(result.text)
    }
  }
}

extension KernelChoice {
  fileprivate static var names: String {
    allCases.filter { $0 != .best }.map(\.rawValue).joined(separator: ", ")
  }
}

extension Duration {
  var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}
