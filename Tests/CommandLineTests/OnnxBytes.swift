import Foundation

/// Writes small ONNX models, also wrong ones: just enough of the encoding, independent of the
/// importer.
struct OnnxBytes {
  struct Node {
    var op: String
    var name: String
    var inputs: [String]
    var outputs: [String]
    var domain = ""
  }

  struct Initializer {
    var name: String
    var dimensions: [Int]
    var data: [UInt8] = []
    /// The file that holds the data instead.
    var externalFile: String?
  }

  var nodes: [Node]
  var initializers: [Initializer] = []
  /// Float32 inputs.
  var inputs: [(name: String, dimensions: [Int])] = [("x", [1, 4])]
  var outputs = ["y"]

  var bytes: [UInt8] {
    var graph: [UInt8] = []
    for node in nodes { graph += field(1, encode(node)) }
    graph += field(2, "g")
    for initializer in initializers { graph += field(5, encode(initializer)) }
    for input in inputs { graph += field(11, value(input.name, input.dimensions)) }
    for output in outputs { graph += field(12, field(1, output)) }
    let opset = field(1, "") + number(2, 17)
    return number(1, 8) + field(7, graph) + field(8, opset)
  }

  /// Float32 numbers as raw data.
  static func floats(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
  }

  private func encode(_ node: Node) -> [UInt8] {
    node.inputs.flatMap { field(1, $0) } + node.outputs.flatMap { field(2, $0) }
      + field(3, node.name) + field(4, node.op) + field(7, node.domain)
  }

  private func encode(_ tensor: Initializer) -> [UInt8] {
    var bytes = tensor.dimensions.flatMap { number(1, $0) } + number(2, 1) + field(8, tensor.name)
    if let file = tensor.externalFile {
      bytes += field(13, field(1, "location") + field(2, file)) + number(14, 1)
    } else {
      bytes += field(9, tensor.data)
    }
    return bytes
  }

  private func value(_ name: String, _ dimensions: [Int]) -> [UInt8] {
    let shape = dimensions.flatMap { field(1, number(1, $0)) }
    return field(1, name) + field(2, field(1, number(1, 1) + field(2, shape)))
  }

  private func number(_ tag: Int, _ value: Int) -> [UInt8] { varint(tag << 3) + varint(value) }
  private func field(_ tag: Int, _ text: String) -> [UInt8] { field(tag, Array(text.utf8)) }
  private func field(_ tag: Int, _ bytes: [UInt8]) -> [UInt8] {
    varint(tag << 3 | 2) + varint(bytes.count) + bytes
  }

  private func varint(_ value: Int) -> [UInt8] {
    var rest = UInt64(value)
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
