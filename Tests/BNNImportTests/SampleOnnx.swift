import BNNGraph
import BNNTensor
import Foundation

@testable import BNNImport

/// The parts of ONNX files, with ONNX's field numbers.
enum Sample {
  static func model(
    nodes: [Message], inputs: [Message] = [input()], outputs: [String] = ["y"],
    initializers: [Message] = [], operatorSet: Int64? = 17, irVersion: Int64 = 8
  ) -> Message {
    let graph = Message().messages(1, nodes).string(2, "sample").messages(5, initializers)
      .messages(11, inputs).messages(12, outputs.map { Message().string(1, $0) })
    var model = Message().integer(1, irVersion).string(2, "test")
    if let operatorSet {
      model = model.message(8, Message().string(1, "").integer(2, operatorSet))
    }
    return model.message(7, graph)
  }

  static func node(
    _ op: String, _ inputs: [String], _ outputs: [String], name: String = "", domain: String = "",
    attributes: [Message] = []
  ) -> Message {
    var node = Message().strings(1, inputs).strings(2, outputs).string(3, name).string(4, op)
      .messages(5, attributes)
    if !domain.isEmpty { node = node.string(7, domain) }
    return node
  }

  /// An input; nil extents have a name instead of a number.
  static func input(
    _ name: String = "x", _ extents: [Int64?]? = [1, 2, 4, 4], elementType: Int64 = 1
  ) -> Message {
    var tensor = Message().integer(1, elementType)
    if let extents {
      let dimensions = extents.map {
        $0.map { Message().integer(1, $0) } ?? Message().string(2, "any")
      }
      tensor = tensor.message(2, Message().messages(1, dimensions))
    }
    return Message().string(1, name).message(2, Message().message(1, tensor))
  }

  static func tensor(
    _ name: String, _ dimensions: [Int64], type: Int64 = 1, raw: [UInt8]
  ) -> Message {
    Message().integers(1, dimensions).integer(2, type).string(8, name).data(9, raw)
  }

  static func floats(_ name: String, _ dimensions: [Int64], _ values: [Float]) -> Message {
    tensor(name, dimensions, raw: littleEndian(values))
  }

  static func attribute(_ name: String, integer: Int64) -> Message {
    Message().string(1, name).integer(3, integer).integer(20, 2)
  }
  static func attribute(_ name: String, float: Float) -> Message {
    Message().string(1, name).float(2, float).integer(20, 1)
  }
  static func attribute(_ name: String, string: String) -> Message {
    Message().string(1, name).string(4, string).integer(20, 3)
  }
  static func attribute(_ name: String, integers: [Int64]) -> Message {
    Message().string(1, name).integers(8, integers).integer(20, 7)
  }
  static func attribute(_ name: String, tensor: Message) -> Message {
    Message().string(1, name).message(5, tensor).integer(20, 4)
  }

  /// x [1,2,4,4] → Conv with two 3×3 kernels → Sign → y.
  static let convolution = model(
    nodes: [
      node("Conv", ["x", "w"], ["c"], name: "conv"), node("Sign", ["c"], ["y"], name: "sign"),
    ],
    initializers: [floats("w", [2, 2, 3, 3], (0..<36).map { Float($0 % 3) - 1 })])
}

/// A folder that is removed with its contents when the test is over.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/bnn-import-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func write(_ bytes: [UInt8], as name: String = "model.onnx") throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
}

/// Reads the model that these bytes are.
func importModel(
  _ message: Message, options: ImportOptions = .init()
) throws -> SourceModel {
  try importModel(message.bytes, options: options)
}

func importModel(_ bytes: [UInt8], options: ImportOptions = .init()) throws -> SourceModel {
  let folder = try TemporaryFolder()
  return try SourceModel(onnxFile: folder.write(bytes), options: options)
}

extension SourceModel {
  /// The graph's only output for given inputs.
  func run(_ inputs: [String: Tensor]) throws -> Tensor? {
    try ReferenceExecutor(graph).run(inputs)[graph.outputs[0]]
  }
}
