import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// A model of one layer with inputs, checked against the reference under every choice of kernels
/// and several numbers of threads.
struct LayerCase {
  var operation: BNNFormat.Operation
  /// Types, shapes and elements (bits as ±1) of the layer's inputs.
  var inputs: [(type: ElementType, value: PlainValue)]
  var outputTypes: [ElementType]
  var outputShape: Shape
  /// The first dimension of every value is the batch.
  var isBatched = false

  var model: BinaryModel {
    func value(_ name: String, _ type: ElementType, _ shape: Shape) -> ModelValue {
      var dimensions = shape.dimensions.map { Dimension.fixed($0) }
      if isBatched { dimensions[0] = .batch(1) }
      return ModelValue(name: name, elementType: type, dimensions: dimensions)
    }
    let outputs = outputTypes.enumerated().map { value("y\($0.offset)", $0.element, outputShape) }
    let ids = Array(inputs.indices)
    let outputIDs = outputs.indices.map { inputs.count + $0 }
    return BinaryModel(
      provenance: .test,
      values: inputs.enumerated().map {
        value("x\($0.offset)", $0.element.type, $0.element.value.shape)
      }
        + outputs,
      inputs: ids, outputs: outputIDs,
      layers: [Layer(name: "layer", operation: operation, inputs: ids, outputs: outputIDs)])
  }

  var tensors: [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (index, input) in inputs.enumerated() {
      result["x\(index)"] = Tensor(input.value, type: input.type)
    }
    return result
  }

  /// One for each choice of kernels, for several threads and, where the layer is binary, for each of
  /// the designs that need the best instruction sets.
  private func sessions() throws -> [(kernels: String, session: InferenceSession)] {
    var sessions = try KernelChoice.supported.map {
      ($0.rawValue, try InferenceSession(model, kernels: $0))
    }
    sessions.append(("best", try InferenceSession(model, threads: 3)))
    guard case .binaryConvolution = operation else { return sessions }
    for design in try InferenceSession.binaryProducts(of: .best).prefix(3) {
      sessions.append((design, try InferenceSession(model, threads: 2, binaryProduct: design)))
    }
    return sessions
  }

  /// - Parameter tolerance: largest error, relative to 1; nil asks for the same bits.
  func check(tolerance: Float? = nil, _ location: SourceLocation = #_sourceLocation) throws {
    let layer = model.layers[0]
    let expected = referenceOutputs(layer, inputs.map(\.value), shape: outputShape)
    for (kernels, session) in try sessions() {
      var outputs = try session.run(tensors)
      let allocations = try session.countAllocations(tensors, into: &outputs)
      // Handing work to other threads allocates.
      #expect(allocations == 0 || session.threads > 1, "\(kernels)", sourceLocation: location)
      #expect(outputs.map(\.name) == outputTypes.indices.map { "y\($0)" }, sourceLocation: location)
      for ((_, found), (type, expected)) in zip(outputs, zip(outputTypes, expected)) {
        let wanted = Tensor(expected, type: type)
        if let tolerance, type == .float32 {
          #expect(found.shape == wanted.shape, sourceLocation: location)
          let error = zip(found.floats, wanted.floats).map { abs($0 - $1) }.max() ?? 0
          #expect(error <= tolerance, "\(kernels) \(session.threads)", sourceLocation: location)
        } else {
          let wrong = zip(found.floats, wanted.floats).enumerated().first {
            $0.element.0.bitPattern != $0.element.1.bitPattern
          }
          #expect(
            found == wanted,
            "\(kernels), \(session.threads) threads, \(inputs.map(\.value.shape)): \(wrong.debugDescription)",
            sourceLocation: location)
        }
      }
    }
  }
}

extension Provenance {
  static let test = Provenance(
    producer: "test", sourceName: "test", sourceBytes: 0, passes: [], options: [])
}

extension Tensor {
  init(_ value: PlainValue, type: ElementType) {
    if type == .sign {
      self.init(PackedTensor(shape: value.shape) { value.elements[$0] > 0 })
    } else {
      self.init(value.elements, shape: value.shape)
    }
  }
}

extension SeededGenerator {
  init(seed: Int) { self.init(seed: UInt64(seed) &* 0x9e37_79b9) }

  mutating func pick<T>(_ choices: [T]) -> T {
    choices[Int.random(in: 0..<choices.count, using: &self)]
  }
  mutating func bool() -> Bool { Bool.random(using: &self) }
  mutating func signs(_ count: Int) -> [Float] { (0..<count).map { _ in bool() ? 1 : -1 } }
  /// Small integers: sums of their products are exact in float32 in any order.
  mutating func integers(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(Int.random(in: -4...4, using: &self)) }
  }
  mutating func reals(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float.random(in: -2...2, using: &self) }
  }

  mutating func bits(_ dimensions: [Int]) -> (type: ElementType, value: PlainValue) {
    let shape = Shape(dimensions)
    return (.sign, PlainValue(signs(shape.count), shape))
  }
  mutating func integers(_ dimensions: [Int]) -> (type: ElementType, value: PlainValue) {
    let shape = Shape(dimensions)
    return (.float32, PlainValue(integers(shape.count), shape))
  }
  mutating func reals(_ dimensions: [Int]) -> (type: ElementType, value: PlainValue) {
    let shape = Shape(dimensions)
    return (.float32, PlainValue(reals(shape.count), shape))
  }

  /// A random window that fits the extents.
  mutating func window(over extents: [Int], padding: Bool = true) -> WindowGeometry {
    var window = WindowGeometry(kernel: [])
    for extent in extents {
      let dilation = pick([1, 1, 1, 2, 3])
      let kernel = pick([1, 2, 3, 3, 5])
      let span = (kernel - 1) * dilation + 1
      var before = padding ? Int.random(in: 0..<max(span, 1), using: &self) : 0
      let after = padding ? Int.random(in: 0..<max(span, 1), using: &self) : 0
      if extent + before + after < span { before = span }
      window.kernel.append(kernel)
      window.dilations.append(dilation)
      window.strides.append(pick([1, 1, 2, 3]))
      window.padsBegin.append(before)
      window.padsEnd.append(after)
    }
    return window
  }

  /// One entry, or one per channel.
  mutating func parameters(_ channels: Int) -> [Float] { reals(pick([1, channels])) }

  mutating func thresholds(_ channels: Int) -> Thresholds<Float> {
    let count = pick([1, channels])
    let lower = (0..<count).map { _ in pick([-.infinity, Float.random(in: -3...3, using: &self)]) }
    return Thresholds(
      lower: lower, upper: lower.map { pick([.infinity, $0 + 2, $0 - 1]) },
      insideIsPlus: (0..<count).map { _ in bool() })
  }

  /// Random steps and output for a result; operands are appended to the inputs.
  mutating func epilogue(
    _ shape: Shape, hasAccumulator: Bool, _ inputs: inout [(type: ElementType, value: PlainValue)]
  ) -> Epilogue {
    let channels = shape[shape.rank - 1]
    if hasAccumulator, Int.random(in: 0..<3, using: &self) == 0 {
      let count = pick([1, channels])
      let lower = (0..<count).map { _ in Int32.random(in: -20...20, using: &self) }
      return Epilogue(
        output: .accumulatorBits(
          Thresholds(
            lower: lower, upper: lower.map { pick([.max, $0 &+ 10, $0 - 1]) },
            insideIsPlus: (0..<count).map { _ in bool() })))
    }
    var operands = 0
    var steps: [PointwiseStep] = []
    for _ in 0..<Int.random(in: 0...4, using: &self) {
      switch Int.random(in: 0..<6, using: &self) {
      case 0: steps.append(.affine(scale: parameters(channels), bias: parameters(channels)))
      case 1: steps.append(.slopes(positive: parameters(channels), negative: parameters(channels)))
      case 2: steps.append(.clamp(lower: -1.5, upper: 2.25))
      case 3: steps.append(.function(pick([.relu, .absolute, .hardSwish, .tanh, .negate])))
      default:
        var dimensions = shape.dimensions
        for axis in dimensions.indices where Int.random(in: 0..<3, using: &self) == 0 {
          dimensions[axis] = 1
        }
        inputs.append(reals(pick([shape.dimensions, dimensions, [], [channels]])))
        steps.append(bool() ? .add(operand: operands) : .multiply(operand: operands))
        operands += 1
      }
    }
    switch Int.random(in: 0..<3, using: &self) {
    case 0: return Epilogue(steps: steps)
    case 1: return Epilogue(steps: steps, output: .bits(thresholds(channels)))
    default: return Epilogue(steps: steps, output: .valuesAndBits(thresholds(channels)))
    }
  }
}
