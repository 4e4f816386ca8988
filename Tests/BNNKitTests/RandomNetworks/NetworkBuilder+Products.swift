import BNNKit

/// Convolutions and matrix products.
extension NetworkBuilder {
  /// A convolution of activations, with simpler weights where it would not be exact.
  mutating func convolution(
    _ x: Activations, outputs: Int, _ geometry: GeometryForm, _ form: WeightForm, bias: Bool
  ) -> Flow {
    var trial = self
    let result = trial.inexactConvolution(x, outputs: outputs, geometry, form, bias: bias)
    if trial.isExact {
      self = trial
      return result
    }
    return inexactConvolution(x, outputs: outputs, geometry, .signs, bias: false)
  }

  private mutating func inexactConvolution(
    _ x: Activations, outputs: Int, _ geometry: GeometryForm, _ form: WeightForm, bias: Bool
  ) -> Flow {
    var flow = x.flow
    var geometry = convolutionGeometry(geometry, of: &flow, isSign: x.flow.isSign)
    var outputs = outputs
    if geometry.groups > 1 { outputs = max(1, outputs / geometry.groups) * geometry.groups }
    let taps = geometry.window.kernel.reduce(1, *)
    let each = flow.channels / geometry.groups
    // Reference execution is slow.
    while outputs > geometry.groups, outputs * each * taps * flow.positions > 60_000 {
      outputs = max(1, outputs / geometry.groups / 2) * geometry.groups
    }
    var extents = geometry.window.outputExtents(of: flow.extents)
    if extents == nil {
      geometry.window = WindowGeometry(kernel: flow.extents.map { _ in 1 })
      extents = flow.extents
    }
    let weights = weights(form, Shape([outputs, each] + geometry.window.kernel))
    let terms = bias ? list(outputs, of: [-1, -0.5, 0, 2]) : []
    let operand = bias ? constant(terms, [outputs]) : nil
    let id = node(
      .convolution(Convolution(geometry: geometry)), flow.id, weights.id, operand)
    (flow.channels, flow.extents) = (outputs, extents ?? flow.extents)
    binaryProducts += 1
    return made(
      id, from: flow, bound: flow.bound * weights.bound + terms.largest,
      grid: max(flow.grid + weights.grid, terms.grid), restsAtZero: false)
  }

  /// The geometry, and an explicit `Pad` before it where it says so.
  private mutating func convolutionGeometry(
    _ form: GeometryForm, of x: inout Flow, isSign: Bool
  ) -> ConvolutionGeometry {
    let rank = x.extents.count
    func all(_ number: Int) -> [Int] { .init(repeating: number, count: rank) }
    func padded(_ strides: Int = 1) -> WindowGeometry {
      WindowGeometry(
        kernel: all(3), strides: all(strides), padsBegin: all(1), padsEnd: all(1))
    }
    switch form {
    case .point: return .init(window: WindowGeometry(kernel: all(1)))
    case .valid: return .init(window: WindowGeometry(kernel: x.extents.map { min($0, 3) }))
    case .padded: return .init(window: padded())
    case .strided: return .init(window: padded(2))
    case .dilated:
      return .init(
        window: WindowGeometry(
          kernel: all(3), dilations: all(2), padsBegin: all(2), padsEnd: all(2)))
    case .asymmetric:
      let kernel = x.extents.map { _ in 1 + numbers.nextIndex(3) }
      return .init(
        window: WindowGeometry(
          kernel: kernel, strides: x.extents.map { _ in 1 + numbers.nextIndex(2) },
          padsBegin: kernel.map { numbers.nextIndex($0 + 1) },
          padsEnd: kernel.map { numbers.nextIndex($0 + 1) }))
    case .wide:
      return .init(
        window: WindowGeometry(kernel: all(5), padsBegin: all(2), padsEnd: all(2)))
    case .grouped, .groupedStrided, .depthwise:
      let divisors = (1...x.channels).filter { x.channels % $0 == 0 }
      let groups = form == .depthwise ? x.channels : pick(divisors)
      return .init(window: padded(form == .groupedStrided ? 2 : 1), groups: groups)
    case .paddedMinusOne, .paddedZero, .paddedPlusOne, .paddedEdge, .paddedReflect:
      pad(&x, form, isSign: isSign)
      return .init(window: WindowGeometry(kernel: x.extents.map { min($0, 3) }))
    }
  }

  private mutating func pad(_ x: inout Flow, _ form: GeometryForm, isSign: Bool) {
    let (value, mode): (Float, PadMode) =
      switch form {
      case .paddedMinusOne: (isSign ? -1 : 0, .constant)
      case .paddedPlusOne: (isSign ? 1 : 0, .constant)
      case .paddedEdge: (0, .edge)
      case .paddedReflect where x.extents.allSatisfy { $0 > 1 }: (0, .reflect)
      default: (0, .constant)
      }
    let begin = x.extents.map { _ in numbers.nextIndex(2) }
    let end = x.extents.map { _ in 1 }
    let pads = integers([0, 0] + begin + [0, 0] + end)
    x.id = node(.pad(Pad(mode: mode)), x.id, pads, scalar(value))
    x.extents = x.extents.indices.map { x.extents[$0] + begin[$0] + end[$0] }
  }

  /// A 1 × 1 convolution of real values with dyadic weights.
  mutating func realConvolution(_ x: Flow, outputs: Int) -> Flow {
    let rank = x.extents.count
    let elements = list(outputs * x.channels, of: [-1, -0.5, 0, 0.5, 1, 1.5])
    let weights = constant(elements, Shape([outputs, x.channels] + x.extents.map { _ in 1 }))
    let window = WindowGeometry(kernel: .init(repeating: 1, count: rank))
    var y = x
    y.channels = outputs
    realProducts += 1
    return made(
      node(.convolution(Convolution(geometry: ConvolutionGeometry(window: window))), x.id, weights),
      from: y, bound: x.bound * 1.5 * Float(x.channels), grid: x.grid + 1, restsAtZero: false)
  }

  /// The product of every position's channels, as a product of a stack of matrices.
  mutating func rowsOfProducts(_ x: Activations, outputs: Int, _ form: WeightForm) -> Flow {
    var flow = x.flow
    let rows = node(
      .transpose(Transpose(permutation: [0, 2, 1])),
      reshape(flow.id, [0, flow.channels, flow.positions]))
    let weights = weights(form, [outputs, flow.channels])
    let matrix = node(.transpose(Transpose(permutation: [1, 0])), weights.id)
    let product = node(
      .transpose(Transpose(permutation: [0, 2, 1])), node(.matMul(MatMul()), rows, matrix))
    flow.channels = outputs
    binaryProducts += 1
    return made(
      reshape(product, [0, outputs] + flow.extents), from: flow,
      bound: flow.bound * weights.bound, grid: flow.grid + weights.grid, restsAtZero: false)
  }

  /// A dense layer of a matrix.
  mutating func dense(
    _ x: Flow, outputs: Int, _ gemm: Gemm, _ form: WeightForm, bias: Bool
  ) -> Flow {
    let weights = weights(form, [outputs, x.channels])
    let matrix =
      gemm.transposeB
      ? weights.id : node(.transpose(Transpose(permutation: [1, 0])), weights.id)
    let terms = bias ? list(outputs, of: [-1, -0.5, 0, 2]) : []
    let operand =
      bias ? constant(terms, numbers.nextIndex(2) == 0 ? [outputs] : [1, outputs]) : nil
    var y = x
    y.channels = outputs
    return made(
      node(.gemm(gemm), x.id, matrix, operand), from: y,
      bound: x.bound * weights.bound * abs(gemm.alpha) + terms.largest * abs(gemm.beta),
      grid: max(x.grid + weights.grid + [gemm.alpha].grid, terms.grid + [gemm.beta].grid),
      restsAtZero: false)
  }
}
