import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let resizes: [String: OnnxOperator] = [
    "Resize": OnnxOperator(1...4, build: resize),
    "Upsample": OnnxOperator(1...2, build: upsample),
  ]

  private static func resize(_ node: NodeBuilder) throws(ImportFault) {
    guard node.operatorSet >= 11 else { return try upsample(node) }
    let coordinates = try node.choice(
      "coordinate_transformation_mode", default: Resize.Coordinates.halfPixel)
    let rounding = try node.choice("nearest_mode", default: Resize.Rounding.preferFloor)
    let coefficient = try node.float("cubic_coeff_a") ?? -0.75
    var resize = Resize(mode: .nearest(rounding), coordinates: coordinates)
    switch try node.string("mode") ?? "nearest" {
    case "nearest": break
    case "linear": resize.mode = .linear
    case "cubic": resize.mode = .cubic(coefficient: coefficient)
    case let other: throw node.invalid("mode", other, "nearest, linear or cubic")
    }
    resize.axes = try node.integers("axes")
    resize.aspect = try node.choice("keep_aspect_ratio_policy", default: .stretch)
    resize.excludesOutside = try node.flag("exclude_outside")
    resize.extrapolationValue = try node.float("extrapolation_value") ?? 0
    resize.antialias = try node.flag("antialias")
    // Without a meaning the region is often an empty list of any type.
    let region = coordinates == .tensorFlowCrop ? node.optionalInput(1) : nil
    let sizes = node.optionalInput(3)
    try node.emit(
      .resize(resize),
      [try node.input(0), region, sizes == nil ? try node.input(2) : nil, sizes])
  }

  /// Before there was `Resize`, and in its first version: positions are divided by the scales,
  /// which are attributes before version 9 and an input since.
  private static func upsample(_ node: NodeBuilder) throws(ImportFault) {
    var resize = Resize(mode: .nearest(.floor), coordinates: .asymmetric)
    switch try node.string("mode") ?? "nearest" {
    case "nearest": break
    case "linear", "bilinear": resize.mode = .linear
    case let other: throw node.invalid("mode", other, "nearest or linear")
    }
    let scales: ValueID
    if node.operatorSet >= 9 {
      scales = try node.input(1)
    } else if node.operatorSet >= 7 {
      let factors = try node.required("scales", try node.floats("scales"))
      scales = try node.constant(Tensor(factors, shape: [factors.count]), "scales")
    } else {
      let height = try node.required("height_scale", try node.float("height_scale"))
      let width = try node.required("width_scale", try node.float("width_scale"))
      scales = try node.constant(Tensor([1, 1, height, width], shape: [4]), "scales")
    }
    try node.emit(.resize(resize), [try node.input(0), nil, scales])
  }
}
