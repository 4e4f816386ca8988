import BNNGraph
import BNNTensor
import Testing

@testable import BNNImport

/// Numbers that no exporter writes: each is a typed error.
@Suite struct HostileOperatorTests {
  private static let image = floats([Float](repeating: 1, count: 16), [1, 4, 2, 2])
  private static let line = floats([1, 2, 3, 4])

  struct Case: Sendable, CustomTestStringConvertible {
    var op: String
    var operands: [Tensor?]
    var attributes: [Message] = []
    var outputs = ["y"]

    var testDescription: String { op }
  }

  private static let cases: [Case] = {
    var cases: [Case] = []
    for block in [0, -1, 3, .max] as [Int64] {
      cases.append(
        Case(
          op: "DepthToSpace", operands: [image],
          attributes: [Sample.attribute("blocksize", integer: block)]))
    }
    for block in [0, -2, 1 << 40] as [Int64] {
      cases.append(
        Case(
          op: "SpaceToDepth", operands: [image],
          attributes: [Sample.attribute("blocksize", integer: block)]))
    }
    for depth in [.min, -1, 1 << 50] as [Int64] {
      cases.append(
        Case(
          op: "OneHot", operands: [integers([1]), integers([depth]), floats([0, 1])]))
    }
    for axis in [.min, 4, .max] as [Int64] {
      cases.append(
        Case(
          op: "GatherElements", operands: [image, integers([0], [1, 1, 1, 1])],
          attributes: [Sample.attribute("axis", integer: axis)]))
    }
    for k in [-1, 5, .max, .min] as [Int64] {
      cases.append(
        Case(
          op: "TopK", operands: [line, integers([k])], outputs: ["y", "z"]))
    }
    for scales in [[0], [-1], [.nan], [.infinity], [3e38], []] as [[Float]] {
      cases.append(
        Case(
          op: "Resize", operands: [line, nil, floats(scales)]))
    }
    for sizes in [[-1], [.max], [.min], [1, 1]] as [[Int64]] {
      cases.append(
        Case(
          op: "Resize", operands: [line, nil, nil, integers(sizes)]))
    }
    for groups in [0, -3, 3, .max] as [Int64] {
      cases.append(
        Case(
          op: "GroupNormalization", operands: [image, line, line],
          attributes: [Sample.attribute("num_groups", integer: groups)]))
    }
    for size in [0, -1, .max] as [Int64] {
      cases.append(
        Case(
          op: "LRN", operands: [image], attributes: [Sample.attribute("size", integer: size)]))
    }
    for size in [-1, .max] as [Int64] {
      cases.append(
        Case(
          op: "DequantizeLinear", operands: [integers([1, 2], [2], .int8), floats([1])],
          attributes: [Sample.attribute("block_size", integer: size)]))
    }
    for axis in [.min, 1, .max] as [Int64] {
      cases.append(
        Case(
          op: "CumSum", operands: [line, integers([axis])]))
    }
    for axis in [.min, .max] as [Int64] {
      cases.append(
        Case(
          op: "LayerNormalization", operands: [line, line],
          attributes: [Sample.attribute("axis", integer: axis)]))
    }
    return cases
  }()

  @Test(arguments: cases)
  func `Numbers out of range`(test: Case) {
    #expect(throws: ImportError.self) {
      try runNode(
        test.op, test.operands, attributes: test.attributes, outputs: test.outputs)
    }
  }

  @Test(arguments: ["Hardmax", "InstanceNormalization", "LRN", "Trilu", "TopK", "IsNaN"])
  func `Tensors without elements`(op: String) throws {
    let x = floats([], [0, 3, 0])
    let parameters: [Tensor?] =
      switch op {
      case "InstanceNormalization": [floats([1, 1, 1]), floats([1, 1, 1])]
      case "TopK": [integers([0])]
      default: []
      }
    let attributes = op == "LRN" ? [Sample.attribute("size", integer: 3)] : []
    // An error is as good as a result; neither may trap.
    let result = try? runNode(
      op, [x] + parameters, attributes: attributes, outputs: op == "TopK" ? ["y", "z"] : ["y"])
    #expect(result == nil || result?.count == 0)
  }

  @Test func `A diagonal far away`() throws {
    let x = floats([1, 2, 3, 4], [2, 2])
    for (k, expected) in [(Int64.max, [Float(0), 0, 0, 0]), (.min, [1, 2, 3, 4])] {
      #expect(try runNode("Trilu", [x, integers([k], [])]).floats == expected)
    }
    let eye = try runNode("EyeLike", [x], attributes: [Sample.attribute("k", integer: .min)])
    #expect(eye.floats == [0, 0, 0, 0])
  }
}
