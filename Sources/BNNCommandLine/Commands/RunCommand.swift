import ArgumentParser
import BNNKit

/// `bnnrun`: a model's outputs for inputs from files.
package struct RunCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    tool: "bnnrun", abstract: "Run a model on inputs from files.",
    discussion: """
      A .bnn is run by the runtime, an .onnx by the reference executor. Inputs are .npy or .pb \
      (ONNX TensorProto), outputs .npy. A model with a fixed batch also takes inputs whose first \
      dimension is a multiple of it, and runs them slice by slice.

      Example: bnnrun digits.bnn --input images.npy --output scores.npy
      """)

  @Argument(help: "The model: .bnn or .onnx.")
  var model: String

  @Option(help: ArgumentHelp("An input; repeat for several.", valueName: "[name=]file"))
  var input: [String] = []

  @Option(
    help: ArgumentHelp("Where to write an output; repeat for several.", valueName: "[name=]file"))
  var output: [String] = []

  @Option(
    help: ArgumentHelp(
      "The right classes of the inputs, as integers; prints how many the largest score finds.",
      valueName: "file"))
  var labels: String?

  @OptionGroup var source: SourceOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var common: OutputOptions

  package init() {}

  package mutating func run() throws {
    let console = common.console
    let model = try ModelLoader.runnable(model, source, threads: threads.threads)
    let outputPaths = try NamedFiles(option: "--output", arguments: output)
      .resolved(for: model.outputs.map(\.name))
    for path in outputPaths.values { try TensorFile.requireWritable(path) }
    let labels = try labels.map { path in (path, try TensorFile.read(path)) }

    let run = try BatchedRun(model, inputs: readInputs(of: model))
    let outputs = try run.outputs { done, all in console.progress("slice \(done + 1) of \(all)") }
    console.endProgress()

    var accuracy: Accuracy?
    if let (path, labels) = labels {
      accuracy = try Accuracy(scores: outputs, labels: labels, labelFile: path)
    }
    for output in outputs {
      guard let path = outputPaths[output.name] else { continue }
      try TensorFile.write(output.tensor, to: path)
    }
    try report(RunResult(outputs: outputs, paths: outputPaths, accuracy: accuracy))
  }

  private func readInputs(of model: any RunnableModel) throws(CommandError) -> [String: Tensor] {
    let paths = try NamedFiles(option: "--input", arguments: input)
      .resolved(for: model.inputs.map(\.name))
    var tensors: [String: Tensor] = [:]
    for (name, path) in paths { tensors[name] = try TensorFile.read(path) }
    return tensors
  }

  private func report(_ result: RunResult) throws(CommandError) {
    if common.json {
      try JSONDocument.print(result)
    } else if common.printsText {
      try Console.writeResult(result.text)
    }
  }
}
