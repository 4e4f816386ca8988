import BNNKit
import Foundation

/// A model file with recorded inputs and outputs.
struct RecordedRun {
  var name: String
  var path: String
  var pairs: [Pair]
  /// How many rows are compared layer by layer; the reference executor is slow.
  var verifiedRows: Int

  struct Pair {
    var name: String
    var inputs: Tensor
    var expected: Tensor
    /// The output is the index of a class.
    var isClass = false
    /// The rows in which no rounding decides; nil for all.
    var stable: [Bool]?

    /// The rows that count.
    func selected(_ tensor: Tensor) -> Tensor {
      guard let stable else { return tensor }
      let each = tensor.count / tensor.shape[0]
      let floats = tensor.floats
      let rows = stable.indices.filter { stable[$0] }
      let kept = rows.flatMap { floats[$0 * each..<($0 + 1) * each] }
      return Tensor(kept, shape: Shape([rows.count] + tensor.shape.dimensions.dropFirst()))
    }
  }

  static func all() throws -> [RecordedRun] {
    var runs: [RecordedRun] = []
    for folder in ["zoo", "larq"] {
      let entries = try FileManager.default.contentsOfDirectory(atPath: Models.path(folder))
      for file in entries.sorted() where file.hasSuffix(".onnx") {
        runs.append(try paired(folder, String(file.dropLast(5))))
      }
    }
    for folder in try FileManager.default.contentsOfDirectory(atPath: Models.path("real")).sorted()
    where FileManager.default.fileExists(atPath: try Models.path("real/\(folder)/model.onnx")) {
      runs += try real("real/\(folder)")
    }
    return runs
  }

  /// A model with recorded data beside it, where a plain Sign's zero is +1 if it matters.
  private static func paired(_ folder: String, _ name: String) throws -> RecordedRun {
    func array(_ suffix: String) throws -> Tensor? {
      let path = try Models.path("\(folder)/\(name).\(suffix).npy")
      return FileManager.default.fileExists(atPath: path) ? try NumPy.readArray(path) : nil
    }
    var pairs: [Pair] = []
    for prefix in ["", "zeros."] {
      guard let inputs = try array(prefix + "input"),
        let expected = try array(prefix + "output.sign0_pos") ?? array(prefix + "output")
      else { continue }
      pairs.append(Pair(name: prefix + "output", inputs: inputs, expected: expected))
    }
    return try RecordedRun("\(folder)/\(name)", pairs)
  }

  private static func real(_ folder: String) throws -> [RecordedRun] {
    let inputs = try NumPy.readArray(Models.path(folder + "/inputs.npy"))
    let expected = try NumPy.readArray(Models.path(folder + "/expected.npy"))
    let stableFile = try Models.path(folder + "/stable.npy")
    let stable =
      FileManager.default.fileExists(atPath: stableFile)
      ? try NumPy.readArray(stableFile).bools : nil
    var runs = [
      try RecordedRun(
        folder + "/model",
        [Pair(name: "output", inputs: inputs, expected: expected, stable: stable)])
    ]
    let planes = try Models.path(folder + "/inputs_planes_bits.npy")
    if FileManager.default.fileExists(atPath: planes) {
      let bytes = try NumPy.readArray(planes)
      let bits = bytes.integers.flatMap { byte in
        (0..<8).map { byte >> Int64($0) & 1 == 1 ? Float(1) : -1 }
      }
      let shape: Shape = [inputs.shape[0], bits.count / inputs.shape[0] / 1024, 32, 32]
      let pair = Pair(
        name: "output", inputs: Tensor(bits, shape: shape), expected: expected, stable: stable)
      runs.append(try RecordedRun(folder + "/model_planes", [pair]))
    }
    let asFound = try Models.path(folder + "/as_found")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: asFound)) ?? []
    for file in files.sorted() where file.hasSuffix(".onnx") {
      let name = "\(folder)/as_found/\(file.dropLast(5))"
      // The one takes pixels from 0 to 1, the other gives the class.
      let isBipolar = file.contains("bipolarquant")
      let pixels = Tensor(inputs.floats.map { $0 / 255 }, shape: inputs.shape)
      let classes = Tensor(expected.topOne.map { Int64($0) }, shape: [expected.shape[0], 1])
      let pair = Pair(
        name: "output", inputs: isBipolar ? pixels : inputs,
        expected: isBipolar ? expected : classes, isClass: !isBipolar)
      runs.append(try RecordedRun(name, [pair]))
    }
    return runs
  }

  private init(_ name: String, _ pairs: [Pair]) throws {
    self.name = name
    path = try Models.path(name + ".onnx")
    self.pairs = pairs
    verifiedRows = min(pairs[0].inputs.shape[0], pairs[0].inputs.count > 1 << 15 ? 1 : 4)
  }
}
