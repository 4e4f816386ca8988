import Testing

@Suite struct HelpTests {
  static let commands = ["bnnconvert", "bnnverify", "bnnrun", "bnninspect", "bnnbench"]

  /// The options that each command has, beside those that all have.
  static let options: [String: [String]] = [
    "bnnconvert": [
      "--report", "--force", "--dry-run", "--verify", "--list-passes", "--disable-pass",
      "--dump-after", "--allow-float", "--sign-of-zero", "--tolerance", "--architecture",
      "--input-shape", "--threads", "--seed", "--float-storage", "--calibration", "--max-error",
      "--binarize", "--binarize-activations",
    ],
    "bnnverify": [
      "--test-data", "--input", "--expected", "--tolerance", "--seed", "--threads",
      "--architecture", "--input-shape", "--calibration",
    ],
    "bnnrun": ["--input", "--output", "--labels", "--threads", "--input-shape"],
    "bnninspect": ["--architecture", "--input-shape"],
    "bnnbench": ["--runs", "--warmup", "--batch", "--layers", "--threads", "--seed"],
  ]

  @Test(arguments: commands) func helpNamesEveryOption(command: String) throws {
    let help = try Command.run(command, ["--help"])
    help.expectSuccess()
    #expect(help.errors.isEmpty)
    #expect(help.output.contains("USAGE: \(command) "))
    let common = ["--json", "--verbose", "--quiet", "--version", "--help"]
    for option in common + (HelpTests.options[command] ?? []) {
      #expect(help.output.contains(option), "\(option) is missing")
    }
  }

  @Test(arguments: commands) func versionNamesTheCommand(command: String) throws {
    let version = try Command.run(command, ["--version"])
    version.expectSuccess()
    #expect(version.output.wholeMatch(of: /([a-z]+) \d+\.\d+\.\d+\n/)?.1 == command[...])
  }

  @Test(arguments: commands) func wrongUsageIs64(command: String) throws {
    let files = command == "bnnconvert" ? ["a.onnx", "b.bnn"] : ["a.onnx"]
    try Command.run(command, files + ["--no-such-option"]).expectError(64, "--no-such-option")
    try Command.run(command, []).expectError(64)
    try Command.run(command, ["model.txt", "out.txt"]).expectError(64)
    try Command.run(command, ["a.onnx", "b.bnn", "--verbose", "--quiet"]).expectError(64)
  }

  @Test(arguments: commands) func missingModelIs66(command: String) throws {
    try Scratch.with { scratch in
      let model = scratch.file("none.onnx")
      let output = command == "bnnconvert" || command == "bnnverify" ? [scratch.file("o.bnn")] : []
      try Command.run(command, [model] + output).expectError(66, "none.onnx", "No such file")
      try Command.run(command, [scratch.path + "/folder.onnx"] + output).expectError(66)
      #expect(try scratch.names() == [])
    }
  }

  @Test func errorsAreColoredOnlyOnTerminals() throws {
    let plain = try Command.run("bnninspect", ["none.onnx"])
    #expect(!plain.errors.contains("\u{1B}"))
  }
}
