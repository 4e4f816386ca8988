import BNNGraph
import BNNTensor
import Testing

@testable import BNNImport

/// Runs one node: its inputs are constants but for the first, and an empty tensor list entry is an
/// input left out.
func runNode(
  _ op: String, _ operands: [Tensor?], attributes: [Message] = [], operatorSet: Int64 = 23,
  outputs: [String] = ["y"], graphOutput: String = "y"
) throws -> Tensor {
  let names = operands.indices.map { operands[$0] == nil ? "" : "i\($0)" }
  let first = try #require(operands[0])
  let code = { (tensor: Tensor) -> Int64 in
    let codes: [ElementType: Int64] = [
      .float32: 1, .uint8: 2, .int8: 3, .int32: 6, .int64: 7, .bool: 9,
    ]
    return codes[tensor.elementType] ?? 1
  }
  let model = try importModel(
    Sample.model(
      nodes: [Sample.node(op, names, outputs, attributes: attributes)],
      inputs: [
        Sample.input(
          "i0", first.shape.dimensions.map { Int64($0) }, elementType: code(first))
      ], outputs: [graphOutput],
      initializers: zip(names, operands).dropFirst().compactMap { name, tensor in
        tensor.map { tensor in
          Sample.tensor(
            name, tensor.shape.dimensions.map { Int64($0) }, type: code(tensor),
            raw: bytes(of: tensor))
        }
      }, operatorSet: operatorSet))
  return try #require(try model.run(["i0": first]))
}

private func bytes(of tensor: Tensor) -> [UInt8] {
  switch tensor.elementType {
  case .float32: littleEndian(tensor.floats)
  case .uint8, .int8, .bool: tensor.integers.map { UInt8(truncatingIfNeeded: $0) }
  case .int32: littleEndian(tensor.integers.map { Int32($0) })
  default: littleEndian(tensor.integers)
  }
}

func floats(_ elements: [Float], _ shape: Shape? = nil) -> Tensor {
  Tensor(elements, shape: shape ?? [elements.count])
}

func integers(
  _ elements: [Int64], _ shape: Shape? = nil, _ type: ElementType = .int64
) -> Tensor {
  Tensor(elements, shape: shape ?? [elements.count], elementType: type)
}

func isClose(_ a: Tensor, _ b: [Float]) -> Bool {
  a.count == b.count
    && zip(a.floats, b).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) }
}
