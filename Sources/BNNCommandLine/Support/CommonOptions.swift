import ArgumentParser
import BNNKit

/// What every command offers.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON document on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "Say more, on standard error.")
  var verbose = false

  @Flag(name: .shortAndLong, help: "Say nothing but errors.")
  var quiet = false

  func validate() throws {
    if verbose && quiet {
      throw ValidationError("--verbose and --quiet exclude each other; give one of them")
    }
  }

  var console: Console { Console(verbosity: quiet ? .quiet : verbose ? .verbose : .normal) }
  /// Whether the readable form of the result is wanted.
  var printsText: Bool { !json && !quiet }
}

struct ThreadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads that run the model.", valueName: "n"))
  var threads = 1

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads \(threads): give a number from 1 to 1024")
    }
  }
}

struct SeedOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Seed of generated inputs.", valueName: "n"))
  var seed: UInt64 = Converter.seed
}

/// What reading a source needs beside its path.
struct SourceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The graph that an .npz checkpoint is read with: the name of an architecture that the toolkit "
        + "ships (bnnconvert --list-architectures), or a description in JSON.",
      valueName: "name|file.json"))
  var architecture: String?

  @Option(
    help: ArgumentHelp(
      "Setting of the architecture; repeat for several. Without it, what the checkpoint shows or "
        + "the default.", valueName: "name=value"))
  var set: [ArchitectureAssignment] = []

  @Option(
    help: ArgumentHelp(
      "Checkpoint (.npz) whose arrays replace the initializers of an .onnx model that have their "
        + "names.", valueName: "file.npz"))
  var weights: String?

  @Option(
    help: ArgumentHelp(
      "Shape of an input of an .onnx model, N for a batch of any size; repeat for several inputs.",
      valueName: "[name=]1,3,224,224"))
  var inputShape: [InputShape] = []
}

extension CommandConfiguration {
  init(tool name: String, abstract: String, discussion: String, usage: String? = nil) {
    self.init(
      commandName: name, abstract: abstract, usage: usage, discussion: discussion,
      version: "\(name) \(toolkitVersion)")
  }
}
