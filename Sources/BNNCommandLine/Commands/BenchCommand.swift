import ArgumentParser
import BNNKit

/// `bnnbench`: how long one run of a model takes.
package struct BenchCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    tool: "bnnbench", abstract: "Measure the latency of a model.",
    discussion: """
      Runs the model on one seeded input (batch 1 unless --batch says otherwise), first to warm \
      up, then --runs times, and prints the minimum, the median and the 90th percentile. A .bnn is \
      run by the runtime, an .onnx by the reference executor, which is made for clarity, not speed.

      Example: bnnbench digits.bnn --threads 2 --layers
      """)

  @Argument(help: "The model: .bnn or .onnx.")
  var model: String

  @Option(help: ArgumentHelp("Measured runs.", valueName: "n"))
  var runs = 50

  @Option(help: ArgumentHelp("Runs before those that are measured.", valueName: "n"))
  var warmup = 5

  @Option(help: ArgumentHelp("Images in a run, where the model leaves that open.", valueName: "n"))
  var batch = 1

  @Flag(help: "Also measure each layer of a .bnn.")
  var layers = false

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
  }

  package mutating func run() throws {
    let model = try ModelLoader.runnable(model, source, threads: threads.threads)
    if layers && !(model is FileModel) {
      throw CommandError(.usage, file: self.model, "--layers is for a .bnn")
    }
    var generator = InputGenerator(seed: seed.seed)
    let inputs = try generator.tensors(for: model.inputs, batch: batch)

    let console = common.console
    for run in 0..<warmup {
      console.progress("warm-up \(run + 1) of \(warmup)")
      _ = try model.run(inputs)
    }
    var samples: [Double] = []
    let clock = ContinuousClock()
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
    console.endProgress()
    try report(
      BenchResult(
        latencyMilliseconds: Latency(samples), threads: model is FileModel ? threads.threads : 1,
        runs: runs, batch: batch, kernels: model.kernels, layers: latencies))
  }

  private func report(_ result: BenchResult) throws(CommandError) {
    if common.json {
      try JSONDocument.print(result)
    } else {
      try Console.writeResult(result.text)
    }
  }
}

extension Duration {
  var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}
