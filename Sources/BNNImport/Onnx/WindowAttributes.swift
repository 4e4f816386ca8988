import BNNTensor

/// The attributes that convolutions and pools share.
struct WindowAttributes {
  let kernel: [Int]?
  private let strides: [Int]?
  private let dilations: [Int]?
  private let pads: [Int]?
  private let automatic: AutomaticPadding
  private let node: NodeBuilder

  private enum AutomaticPadding: String {
    case notSet = "NOTSET", valid = "VALID", sameUpper = "SAME_UPPER", sameLower = "SAME_LOWER"
  }

  init(_ node: NodeBuilder) throws(ImportFault) {
    self.node = node
    kernel = try WindowAttributes.extents("kernel_shape", of: node, atLeast: 1)
    strides = try WindowAttributes.extents("strides", of: node, atLeast: 1)
    dilations = try WindowAttributes.extents("dilations", of: node, atLeast: 1)
    pads = try WindowAttributes.extents("pads", of: node, atLeast: 0)
    let spelling = try node.string("auto_pad") ?? "NOTSET"
    guard let automatic = AutomaticPadding(rawValue: spelling.isEmpty ? "NOTSET" : spelling) else {
      throw node.invalid("auto_pad", spelling, "NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    }
    self.automatic = automatic
  }

  private static func extents(
    _ name: String, of node: NodeBuilder, atLeast minimum: Int
  ) throws(ImportFault) -> [Int]? {
    guard let values = try node.integers(name) else { return nil }
    guard values.allSatisfy({ $0 >= minimum && $0 < 1 << 31 }) else {
      throw node.invalid(name, "\(values)", "numbers from \(minimum)")
    }
    return values
  }

  /// The padding depends on the input's extents.
  private var isSame: Bool { automatic == .sameUpper || automatic == .sameLower }

  /// The fault when extents that decide the padding are not known.
  private var unknownExtents: ImportFault {
    node.fault(
      .unsupported("automatic padding of an input whose extents are not known"),
      attribute: "auto_pad")
  }

  /// The window of a convolution or pool.
  ///
  /// - Parameter input: the input's spatial extents, nil where one is not known.
  func window(kernel: [Int], input: [Int?]) throws(ImportFault) -> WindowGeometry {
    var window = try explicitWindow(kernel: kernel)
    guard isSame else { return window }
    for axis in kernel.indices {
      var total = window.span(axis) - 1
      if window.strides[axis] > 1 {
        guard input.count == kernel.count, let extent = input[axis] else { throw unknownExtents }
        let positions = (extent + window.strides[axis] - 1) / window.strides[axis]
        total = (positions - 1) * window.strides[axis] + window.span(axis) - extent
      }
      setPadding(of: axis, in: &window, total: max(0, total), moreAtEnd: automatic == .sameUpper)
    }
    return window
  }

  /// The window with the padding that the attributes spell out: none where it is automatic.
  private func explicitWindow(kernel: [Int]) throws(ImportFault) -> WindowGeometry {
    let rank = kernel.count
    for (name, list, count) in [
      ("kernel_shape", self.kernel, rank), ("strides", strides, rank),
      ("dilations", dilations, rank), ("pads", pads, 2 * rank),
    ] {
      guard let list, list.count != count else { continue }
      throw node.invalid(name, "\(list)", "\(count) numbers")
    }
    let explicit = automatic == .notSet ? pads : nil
    return WindowGeometry(
      kernel: kernel, strides: strides, dilations: dilations,
      padsBegin: (explicit?.prefix(rank)).map(Array.init),
      padsEnd: (explicit?.suffix(rank)).map(Array.init))
  }

  /// The geometry of a transposed convolution whose output has the given extents, or the input's
  /// times the stride: the window, and what is added to the output's ends.
  func transposedWindow(
    kernel: [Int], input: [Int?], output: [Int]?, outputPadding: [Int]?
  ) throws(ImportFault) -> (WindowGeometry, outputPadding: [Int]) {
    var window = try explicitWindow(kernel: kernel)
    var outputPadding = outputPadding ?? kernel.map { _ in 0 }
    guard output != nil || isSame else { return (window, outputPadding) }
    // The batch and channels may be listed, too.
    let output = output.map { Array($0.suffix(kernel.count)) }
    for (name, list) in [("output_shape", output), ("output_padding", outputPadding)] {
      guard let list, list.count != kernel.count || list.contains(where: { $0 >= 1 << 31 }) else {
        continue
      }
      throw node.invalid(name, "\(list)", "\(kernel.count) extents")
    }
    guard input.count == kernel.count else { throw unknownExtents }
    for axis in kernel.indices {
      guard let length = input[axis] else { throw unknownExtents }
      let stride = window.strides[axis]
      let (span, overflow) = stride.multipliedReportingOverflow(by: length - 1)
      guard !overflow, span < 1 << 40 else { throw unknownExtents }
      let extent = output?[axis] ?? (span + stride)
      let total = span + outputPadding[axis] + window.span(axis) - extent
      setPadding(of: axis, in: &window, total: max(0, total), moreAtEnd: automatic == .sameUpper)
      outputPadding[axis] += max(0, -total)
    }
    return (window, outputPadding)
  }

  private func setPadding(
    of axis: Int, in window: inout WindowGeometry, total: Int, moreAtEnd: Bool
  ) {
    window.padsBegin[axis] = moreAtEnd ? total / 2 : total - total / 2
    window.padsEnd[axis] = total - window.padsBegin[axis]
  }
}
