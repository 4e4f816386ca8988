import BNNFormat
import BNNTensor

extension BinaryModel {
  /// A checked model, in which functions of concatenated values are computed with their pieces.
  ///
  /// Where a layer of single values is all that reads a concatenation along the channels, the layers
  /// that make the pieces end with their channels of its steps, the concatenation makes its values, and
  /// only its test for signs is left.
  func withFunctionsOfPieces() -> BinaryModel {
    var model = self
    var uses = [Int](repeating: 0, count: values.count)
    for value in layers.flatMap(\.inputs) + outputs { uses[value] += 1 }
    var makers: [Int: Int] = [:]
    for (index, layer) in layers.enumerated() {
      for value in layer.outputs { makers[value] = index }
      guard case .pointwise(let function) = layer.operation,
        case .valuesAndBits(let thresholds) = function.output, function.isPerChannel,
        uses[layer.inputs[0]] == 1, let joint = makers[layer.inputs[0]],
        let pieces = model.pieces(of: joint, makers, uses)
      else { continue }
      let channels = pieces.last?.channels.upperBound ?? 0
      guard function.steps.allSatisfy({ $0.parameterCounts.isSubset(of: [1, channels]) })
      else { continue }
      for piece in pieces {
        model.layers[piece.maker].operation.append(
          function.steps.map { $0.part(piece.channels, of: channels) })
      }
      model.layers[joint].outputs = [layer.outputs[0]]
      model.layers[index] = Layer(
        name: layer.name, operation: .pointwise(Epilogue(output: .bits(thresholds))),
        inputs: [layer.outputs[0]], outputs: [layer.outputs[1]])
    }
    return model
  }

  /// The layers whose epilogues make nothing but what a concatenation joins, and their channels.
  private func pieces(
    of joint: Int, _ makers: [Int: Int], _ uses: [Int]
  ) -> [(maker: Int, channels: Range<Int>)]? {
    guard case .concatenate(let axis) = layers[joint].operation else { return nil }
    var pieces: [(maker: Int, channels: Range<Int>)] = []
    var first = 0
    for value in layers[joint].inputs {
      let dimensions = values[value].dimensions
      guard axis == dimensions.count - 1, case .fixed(let channels) = dimensions[axis],
        uses[value] == 1, let maker = makers[value],
        case .values = layers[maker].operation.epilogue?.output
      else { return nil }
      pieces.append((maker, first..<first + channels))
      first += channels
    }
    return pieces
  }
}

extension Operation {
  /// Appends steps to the epilogue.
  fileprivate mutating func append(_ steps: [PointwiseStep]) {
    switch self {
    case .binaryConvolution(let geometry, let weights, var epilogue):
      epilogue.steps += steps
      self = .binaryConvolution(geometry, weights: weights, epilogue)
    case .convolution(let geometry, let weights, var epilogue):
      epilogue.steps += steps
      self = .convolution(geometry, weights: weights, epilogue)
    case .quantizedConvolution(let geometry, let weights, let input, var epilogue):
      epilogue.steps += steps
      self = .quantizedConvolution(geometry, weights: weights, input: input, epilogue)
    case .pool(let kind, let window, let ceiling, var epilogue):
      epilogue.steps += steps
      self = .pool(kind, window, ceiling: ceiling, epilogue)
    case .pointwise(var epilogue):
      epilogue.steps += steps
      self = .pointwise(epilogue)
    case .binaryPool, .concatenate, .reshape, .transpose, .softmax, .reduce, .unpack, .signProduct,
      .array:
      break
    }
  }
}

extension Epilogue {
  /// Whether the steps are of the kernels, and depend on nothing but the channel.
  var isPerChannel: Bool {
    steps.allSatisfy {
      switch $0 {
      case .affine, .slopes, .clamp, .function(.relu): true
      case .function, .add, .multiply: false
      }
    }
  }
}

extension PointwiseStep {
  /// How many entries the lists of parameters have.
  fileprivate var parameterCounts: Set<Int> {
    switch self {
    case .affine(let a, let b), .slopes(let a, let b): [a.count, b.count]
    case .clamp, .function, .add, .multiply: []
    }
  }

  /// The step for some of the channels.
  fileprivate func part(_ channels: Range<Int>, of count: Int) -> PointwiseStep {
    func part(_ list: [Float]) -> [Float] { list.count == count ? Array(list[channels]) : list }
    return switch self {
    case .affine(let scale, let bias): .affine(scale: part(scale), bias: part(bias))
    case .slopes(let positive, let negative):
      .slopes(positive: part(positive), negative: part(negative))
    case .clamp, .function, .add, .multiply: self
    }
  }
}
