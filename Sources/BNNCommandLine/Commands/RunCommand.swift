import ArgumentParser
import BNNKit

/// `bnnrun`: a model's outputs for inputs from files.
package struct RunCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    tool: "bnnrun", abstract: "Run a model on inputs from files.",
    discussion: """
      A .bnn is run by the runtime, an .onnx by the reference executor. Inputs are .npy or .pb \
      (ONNX TensorProto), outputs .npy; an .npz holds all inputs or all outputs by their names. A \
      model with a fixed batch also takes inputs whose first dimension is a multiple of it, and \
      runs them slice by slice.

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
    let files = try OutputFiles(arguments: output, names: model.outputs.map(\.name))
    let labels = try labels.map { path in (path, try TensorFile.read(path)) }

    let run = try BatchedRun(model, inputs: readInputs(of: model))
    let outputs = try run.outputs { done, all in console.progress("slice \(done + 1) of \(all)") }
    console.endProgress()

    var accuracy: Accuracy?
    if let (path, labels) = labels {
      accuracy = try Accuracy(scores: outputs, labels: labels, labelFile: path)
    }
    try files.write(outputs)
    try report(RunResult(outputs: outputs, paths: files.paths, accuracy: accuracy))
  }

  private func readInputs(of model: any RunnableModel) throws(CommandError) -> [String: Tensor] {
    if let path = input.first, input.count == 1, FilePath.suffix(of: path) == "npz" {
      return try TensorFile.readArchive(path)
    }
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
