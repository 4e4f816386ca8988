import ArgumentParser
import BNNKit

/// Which real weights `bnnconvert` makes binary.
struct BinarizationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Make the real weights of layers binary whose names have a match of the regular expression, by "
        + "sign, xnor (the default), least-squares, qubo, bilinear, general or residual:M with M from "
        + "1 to 4; the first that matches decides; lossy.", valueName: "regex[=method]"),
    transform: BinarizationOptions.choice)
  var binarize: [BinarizationChoice] = []

  @Flag(
    help: """
      For --binarize: the inputs of these layers become signs, too, with a shift per channel found \
      on the calibration data.
      """)
  var binarizeActivations = false

  func validate() throws {
    guard !binarizeActivations || !binarize.isEmpty else {
      throw ValidationError("--binarize-activations is for the layers of --binarize; add that")
    }
  }

  private static func choice(_ argument: String) throws -> BinarizationChoice {
    do {
      return try BinarizationChoice(argument: argument)
    } catch {
      throw ValidationError("\(error)")
    }
  }
}
