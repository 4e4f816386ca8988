import BNNTensor

/// ONNX `BatchNormalization` at inference. Inputs: x [N, C, …], γ, β, mean, variance [C].
public struct BatchNormalization: Operator, Hashable {
  public var epsilon: Float

  public init(epsilon: Float = 1e-5) {
    self.epsilon = epsilon
  }

  public var name: String { "BatchNormalization" }
}

extension BatchNormalization {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.float(0)
    guard x.shape.rank >= 1 else {
      throw .wrongRank(input: 0, expected: "at least 1", found: x.shape)
    }
    let channels = ChannelLayout(x.shape).channels
    for index in 1...4 {
      let parameter = try inputs.float(index)
      guard parameter.shape == [channels] else {
        throw .shapeMismatch(input: index, expected: "[\(channels)]", found: parameter.shape)
      }
    }
    return [ResultType(x.elementType, x.shape)]
  }

  /// r = 1 / √(variance + ε), a = γ · r, b = β − mean · a, y = x · a + b. Each operation rounds to
  /// float32 (float64); with 16-bit floats the result is rounded once more.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let x = try inputs.required(0)
    if case .double(let elements) = x.storage {
      let parameters = try parameters(inputs, \.doubles)
      return [Tensor(normalize(elements, x.shape, parameters), shape: x.shape)]
    }
    let result = normalize(x.floats, x.shape, try parameters(inputs, \.floats))
    return [Tensor(rounding: result, shape: x.shape, to: x.elementType)]
  }

  private func parameters<T>(
    _ inputs: [Tensor?], _ elements: (Tensor) -> [T]
  ) throws(OperatorError) -> [[T]] {
    var result: [[T]] = []
    for index in 1...4 { result.append(elements(try inputs.required(index))) }
    return result
  }

  private func normalize<T: BinaryFloatingPoint>(
    _ x: [T], _ shape: Shape, _ parameters: [[T]]
  ) -> [T] {
    let (gamma, beta, mean, variance) = (
      parameters[0], parameters[1], parameters[2], parameters[3]
    )
    let a = gamma.indices.map { gamma[$0] * (1 / (variance[$0] + T(epsilon)).squareRoot()) }
    let b = a.indices.map { beta[$0] - mean[$0] * a[$0] }
    var result = x
    ChannelLayout(shape).forEachRun { channel, elements in
      for index in elements {
        result[index] = result[index] * a[channel] + b[channel]
      }
    }
    return result
  }
}
