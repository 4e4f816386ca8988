import BNNTensor

/// ONNX `Resize`, `Upsample`. Inputs: x, optional region of interest, scales or (if those are left
/// out) sizes. Each list has an entry per axis of `axes`; the region has all starts, then all ends.
public struct Resize: Operator, Hashable {
  public var mode: Mode
  public var coordinates: Coordinates
  /// The axes that are resized; nil means all.
  public var axes: [Int]?
  public var aspect: Aspect
  /// Elements outside x have the weight 0 instead of those at the edge.
  public var excludesOutside: Bool
  /// What `tensorFlowCrop` makes of positions outside x.
  public var extrapolationValue: Float
  /// When shrinking, the weights reach as far as the elements that one result stands for.
  public var antialias: Bool

  public enum Mode: Hashable, Sendable {
    case nearest(Rounding)
    case linear
    /// Keys' cubic convolution with its parameter, mostly −0.75.
    case cubic(coefficient: Float)
  }

  /// Which neighbour is the nearest.
  public enum Rounding: String, Hashable, Sendable, CaseIterable {
    case preferFloor = "round_prefer_floor", preferCeiling = "round_prefer_ceil"
    case floor, ceiling = "ceil"
  }

  /// Where in x the position of a result lies.
  public enum Coordinates: String, Hashable, Sendable, CaseIterable {
    case halfPixel = "half_pixel", halfPixelSymmetric = "half_pixel_symmetric"
    case pyTorchHalfPixel = "pytorch_half_pixel", alignCorners = "align_corners", asymmetric
    case tensorFlowHalfPixel = "tf_half_pixel_for_nn"
    case tensorFlowCrop = "tf_crop_and_resize"
  }

  /// What sizes mean: ONNX `keep_aspect_ratio_policy`.
  public enum Aspect: String, Hashable, Sendable, CaseIterable {
    case stretch, notLarger = "not_larger", notSmaller = "not_smaller"
  }

  public init(
    mode: Mode, coordinates: Coordinates = .halfPixel, axes: [Int]? = nil,
    aspect: Aspect = .stretch, excludesOutside: Bool = false, extrapolationValue: Float = 0,
    antialias: Bool = false
  ) {
    self.mode = mode
    self.coordinates = coordinates
    self.axes = axes
    self.aspect = aspect
    self.excludesOutside = excludesOutside
    self.extrapolationValue = extrapolationValue
    self.antialias = antialias
  }

  public var name: String { "Resize" }
}

extension Resize {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    if case .nearest = mode {} else { _ = try inputs.float(0) }
    if coordinates == .tensorFlowCrop {
      guard x.elementType.isFloatingPoint else {
        throw .wrongElementType(input: 0, found: x.elementType)
      }
      _ = try inputs.float(1)
    }
    let extents = try scaling(inputs).map(\.output)
    return [try ResultType(x.elementType, checking: extents)]
  }

  /// Axis by axis: the sum, in order, of each result's taps times their weights.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    guard type.shape.count > 0 else { return [x.gathering([], shape: type.shape)] }
    let samples = try samples(inputs.facts)
    if case .nearest = mode { return [try nearest(x, samples, type)] }
    if case .double(let elements) = x.storage {
      return [Tensor(interpolated(elements, x.shape, samples), shape: type.shape)]
    }
    return [
      Tensor(
        rounding: interpolated(x.floats, x.shape, samples), shape: type.shape,
        to: type.elementType)
    ]
  }

  private func nearest(
    _ x: Tensor, _ samples: [AxisSamples], _ type: ResultType
  ) throws(OperatorError) -> Tensor {
    // Index 0 is the value of positions outside, the elements of x follow.
    var sources = [1]
    for (axis, stride) in x.shape.strides.enumerated() {
      let steps = samples[axis].positions.map { $0.taps.first.map { $0.index * stride } }
      sources = sources.flatMap { start in
        steps.map { step in step.flatMap { start == 0 ? nil : start + $0 } ?? 0 }
      }
    }
    let fill =
      x.elementType.isFloatingPoint
      ? try Cast(to: x.elementType).evaluate([Tensor(scalar: extrapolationValue)])[0]
      : .zero(of: x.elementType)
    return Tensor.joined([fill, x], elementType: x.elementType)
      .gathering(sources, shape: type.shape)
  }

  private func interpolated<T: BinaryFloatingPoint>(
    _ x: [T], _ shape: Shape, _ samples: [AxisSamples]
  ) -> [T] {
    var (elements, shape) = (x, shape)
    var isOutside = [Bool](repeating: false, count: 1)
    for (axis, samples) in samples.enumerated() {
      isOutside = isOutside.flatMap { outer in samples.positions.map { outer || $0.taps.isEmpty } }
      guard !samples.isIdentity(of: shape[axis]) else { continue }
      elements = samples.apply(to: elements, AxisRuns(shape, axis: axis))
      shape.dimensions[axis] = samples.positions.count
    }
    for index in isOutside.indices where isOutside[index] {
      elements[index] = T(extrapolationValue)
    }
    return elements
  }
}
