/// How a convolution or pooling window moves over the spatial dimensions of its input.
///
/// All lists have one entry per spatial dimension. A spatial rank of 0 makes the convolution a
/// matrix product of rows [N, C] with weights [O, C].
public struct WindowGeometry: Hashable, Sendable {
  /// The window's extents.
  public var kernel: [Int]
  public var strides: [Int]
  public var dilations: [Int]
  /// Padding before the first and after the last element of each spatial dimension.
  public var padsBegin: [Int]
  public var padsEnd: [Int]

  public init(
    kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, padsBegin: [Int]? = nil,
    padsEnd: [Int]? = nil
  ) {
    self.kernel = kernel
    self.strides = strides ?? kernel.map { _ in 1 }
    self.dilations = dilations ?? kernel.map { _ in 1 }
    self.padsBegin = padsBegin ?? kernel.map { _ in 0 }
    self.padsEnd = padsEnd ?? kernel.map { _ in 0 }
  }

  public var spatialRank: Int { kernel.count }

  /// The input positions that a window spans along an axis, dilation included.
  public func span(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

  public var hasPadding: Bool { padsBegin.contains { $0 != 0 } || padsEnd.contains { $0 != 0 } }

  /// The output's spatial extents, or nil when the window does not fit, a number is out of range
  /// or an extent overflows. Rounds down unless `ceiling` (ONNX `ceil_mode`: a window that would
  /// start in the padding at the end is dropped).
  public func outputExtents(of input: [Int], ceiling: Bool = false) -> [Int]? {
    guard input.count == spatialRank, strides.count == spatialRank, dilations.count == spatialRank,
      padsBegin.count == spatialRank, padsEnd.count == spatialRank
    else { return nil }
    var extents: [Int] = []
    for axis in 0..<spatialRank {
      let limit = 1 << 40
      guard input[axis] >= 0, input[axis] < limit, kernel[axis] >= 1, kernel[axis] < 1 << 20,
        strides[axis] >= 1, strides[axis] < limit, dilations[axis] >= 1, dilations[axis] < 1 << 20,
        abs(padsBegin[axis]) < limit, abs(padsEnd[axis]) < limit
      else { return nil }
      let room = input[axis] + padsBegin[axis] + padsEnd[axis] - span(axis)
      guard room >= 0 else { return nil }
      var extent = room / strides[axis] + 1
      if ceiling, room % strides[axis] != 0,
        extent * strides[axis] < input[axis] + padsBegin[axis]
      {
        extent += 1
      }
      extents.append(extent)
    }
    return extents
  }
}

/// A convolution's window and its groups.
public struct ConvolutionGeometry: Hashable, Sendable {
  public var window: WindowGeometry
  /// Input and output channels are divided into this many groups that do not see each other.
  public var groups: Int
  /// What a tap outside the input contributes. Bits have no 0: `zero` means the tap is not counted.
  public var padding: PaddingValue

  public enum PaddingValue: Int, Hashable, Sendable, CaseIterable {
    case zero = 0, plusOne = 1, minusOne = -1
  }

  public init(window: WindowGeometry, groups: Int = 1, padding: PaddingValue = .zero) {
    self.window = window
    self.groups = groups
    self.padding = padding
  }
}
