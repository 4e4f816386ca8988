import BNNTensor
import Testing

@testable import BNNGraph

func floats(_ elements: [Float], _ shape: Shape? = nil) -> Tensor {
  Tensor(elements, shape: shape ?? [elements.count])
}

func integers(
  _ elements: [Int64], _ shape: Shape? = nil, _ type: ElementType = .int64
) -> Tensor {
  Tensor(elements, shape: shape ?? [elements.count], elementType: type)
}

func bools(_ elements: [Bool], _ shape: Shape? = nil) -> Tensor {
  Tensor(elements, shape: shape ?? [elements.count])
}

/// Small whole numbers in an order that is not symmetric: element i is (5 i mod period) − offset.
func ramp(_ shape: Shape, period: Int = 7, offset: Int = 3) -> Tensor {
  Tensor((0..<shape.count).map { Float(5 * $0 % period - offset) }, shape: shape)
}

/// Expects that an operator makes these results, and that type inference says the same of them.
///
/// Floats must agree bit for bit, or within a tolerance relative to the largest expected value
/// where one is given. NaN only equals NaN.
func expect(
  _ op: Op, _ inputs: [Tensor?], gives expected: [Tensor], tolerance: Double = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let types = try op.definition.inferTypes(inputs.facts)
  let results = try op.definition.evaluate(inputs)
  #expect(
    types == results.map { ResultType($0.elementType, $0.shape) }, sourceLocation: sourceLocation)
  try #require(results.count == expected.count, sourceLocation: sourceLocation)
  for (result, expected) in zip(results, expected) {
    if tolerance == 0 {
      #expect(result == expected, sourceLocation: sourceLocation)
    } else {
      #expect(result.shape == expected.shape, sourceLocation: sourceLocation)
      #expect(result.elementType == expected.elementType, sourceLocation: sourceLocation)
      #expect(
        isClose(result.doubles, expected.doubles, tolerance),
        "\(result.doubles) is not \(expected.doubles)", sourceLocation: sourceLocation)
    }
  }
  try FileCase(op, inputs, results)?.check(sourceLocation)
}

func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
  let largest = b.filter(\.isFinite).map(\.magnitude).max() ?? 0
  return a.count == b.count
    && zip(a, b).allSatisfy { x, y in
      x == y || (x.isNaN && y.isNaN) || (x - y).magnitude <= tolerance * largest
    }
}

/// Expects that type inference and evaluation both refuse the operands with this error.
func expectError(
  _ op: Op, _ inputs: [Tensor?], _ expected: OperatorError,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(throws: expected, sourceLocation: sourceLocation) {
    _ = try op.definition.inferTypes(inputs.facts)
  }
  #expect(throws: expected, sourceLocation: sourceLocation) {
    _ = try op.definition.evaluate(inputs)
  }
}
