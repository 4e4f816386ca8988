import BNNKit
import Foundation

/// A checkpoint of `fixtures/checkpoints` with what PyTorch computes from it.
struct GatedCheckpoint: Sendable, CustomStringConvertible {
  /// The archive's name without its suffix.
  var file: String
  var architecture: String
  var settings: [String: String] = [:]
  var inputs = "gated-inputs-centred"
  /// Which of several readings of the same parameters was recorded.
  var reading = ""
  var binaryLayers: Int
  var floatLayers = 2

  var description: String { reading.isEmpty ? file : "\(file), \(reading)" }

  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("fixtures/checkpoints").path

  var path: String { "\(Self.folder)/\(file).npz" }

  func source() throws -> SourceModel {
    try SourceModel(
      checkpointFile: path, architecture: Architecture(named: architecture), settings: settings)
  }

  /// In single precision; the files hold halves.
  func images() throws -> Tensor {
    let stored = try NumPy.readArray("\(Self.folder)/\(inputs).npy")
    return Tensor(stored.floats, shape: stored.shape)
  }

  func expected() throws -> Tensor {
    let suffix = reading.isEmpty ? "" : ".\(reading)"
    return try NumPy.readArray("\(Self.folder)/\(file)\(suffix).expected.npy")
  }
}

extension GatedCheckpoint {
  static let all = ftbnn + fracbnn + elastic + quicknet

  private static let ftbnn =
    readings("ftbnn-real", shuffled: [false], binary: 16, float: 5)
    + readings(
      "ftbnn-binary", shuffled: [false, true], ["downsample": "binary"], binary: 19, float: 2)
    + readings("ftbnn-duplicate", shuffled: [true], binary: 16, float: 2)
    + readings("ftbnn-mobilenet", shuffled: [false, true], binary: 26, float: 2)

  /// All that can be read either way from the same parameters; defaults are not given.
  private static func readings(
    _ file: String, shuffled: [Bool], _ settings: [String: String] = [:], binary: Int, float: Int
  ) -> [GatedCheckpoint] {
    var result: [GatedCheckpoint] = []
    for isPost in [false, true] {
      for isShuffled in shuffled {
        for isScaled in [true, false] {
          var settings = settings.merging(["resolution": "64"]) { $1 }
          if isPost { settings["activation"] = "post_add" }
          if isShuffled { settings["shuffle"] = "true" }
          if !isScaled { settings["alpha"] = "false" }
          let reading =
            (isPost ? "post" : "pre") + (isShuffled ? "-shuffle" : "") + (isScaled ? "" : "-plain")
          result.append(
            GatedCheckpoint(
              file: file, architecture: "ftbnn", settings: settings, reading: reading,
              binaryLayers: binary, floatLayers: float))
        }
      }
    }
    return result
  }

  private static let fracbnn = [
    GatedCheckpoint(
      file: "fracbnn-cifar10", architecture: "fracbnn-cifar10", inputs: "gated-inputs-16",
      binaryLayers: 37, floatLayers: 1),
    GatedCheckpoint(
      file: "fracbnn-imagenet", architecture: "fracbnn-imagenet", binaryLayers: 53,
      floatLayers: 1),
  ]

  private static let elastic = [
    GatedCheckpoint(
      file: "elastic-resnet18", architecture: "elastic-link", settings: ["resolution": "64"],
      binaryLayers: 16),
    GatedCheckpoint(
      file: "elastic-resnet26", architecture: "elastic-link",
      settings: ["resolution": "64", "expand": "repeat"], reading: "sum", binaryLayers: 24),
    GatedCheckpoint(
      file: "elastic-resnet26", architecture: "elastic-link",
      settings: ["resolution": "64", "expand": "repeat", "squeeze": "mean"], reading: "mean",
      binaryLayers: 24),
    GatedCheckpoint(
      file: "elastic-mobilenet", architecture: "elastic-link",
      settings: ["resolution": "64", "scale_map": "true"], binaryLayers: 26),
  ]

  private static let quicknet = [("quicknet", 60), ("quicknet-small", 58)].map { file, size in
    GatedCheckpoint(
      file: file, architecture: "quicknet", settings: ["resolution": "\(size)"],
      inputs: "gated-inputs-\(size)-last", binaryLayers: 16, floatLayers: 10)
  }
}
