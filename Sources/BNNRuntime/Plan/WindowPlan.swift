import BNNTensor

/// A window over a channels-last value, brought to three spatial dimensions.
struct WindowPlan {
  let images: Int
  /// Three extents each.
  let input: [Int]
  let output: [Int]
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  let padsBegin: [Int]
  let padsEnd: [Int]
  /// Extents of the result before its channels.
  let outputPrefix: [Int]

  /// With no spatial dimensions, all axes before the last count as images.
  init(
    _ window: WindowGeometry, input shape: Shape, ceiling: Bool = false
  ) throws(RuntimeError.LayerFault) {
    let rank = window.spatialRank
    guard rank <= 3 else { throw .spatialRank(rank) }
    guard rank == 0 ? shape.rank >= 1 : shape.rank == rank + 2 else {
      throw .inputShape(index: 0, found: shape)
    }
    let spatial = rank == 0 ? [] : Array(shape.dimensions[1..<(rank + 1)])
    guard let extents = window.outputExtents(of: spatial, ceiling: ceiling) else {
      throw .geometry(window)
    }
    func three(_ list: [Int], fill: Int) -> [Int] {
      [Int](repeating: fill, count: 3 - list.count) + list
    }
    images = rank == 0 ? shape.dimensions.dropLast().reduce(1, *) : shape[0]
    input = three(spatial, fill: 1)
    output = three(extents, fill: 1)
    kernel = three(window.kernel, fill: 1)
    strides = three(window.strides, fill: 1)
    dilations = three(window.dilations, fill: 1)
    padsBegin = three(window.padsBegin, fill: 0)
    padsEnd = three(window.padsEnd, fill: 0)
    outputPrefix = rank == 0 ? Array(shape.dimensions.dropLast()) : [shape[0]] + extents
  }

  var taps: Int { kernel.reduce(1, *) }
  /// Output positions of one image, and of all.
  var positionsPerImage: Int { output.reduce(1, *) }
  var positions: Int { images * positionsPerImage }

  /// Whether every window is known to see a pixel: those without gaps do that begin before the end of
  /// the input and end after its beginning.
  var seesInputEverywhere: Bool {
    (0..<3).allSatisfy { axis in
      dilations[axis] == 1 && padsBegin[axis] < kernel[axis]
        && (output[axis] - 1) * strides[axis] - padsBegin[axis] < input[axis]
    }
  }

  /// Whether each output position sees exactly the input pixel of the same number.
  var isIdentity: Bool {
    taps == 1 && input == output && strides.allSatisfy { $0 == 1 }
      && padsBegin.allSatisfy { $0 == 0 }
  }

  var imageWindow: ImageWindow {
    ImageWindow(
      input: input, output: output, kernel: kernel, strides: strides, dilations: dilations,
      padsBegin: padsBegin)
  }
}
