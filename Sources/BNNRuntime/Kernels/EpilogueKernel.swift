import CBNNKernels

/// A step of an epilogue. Parameters per channel are padded to whole blocks of channels.
struct EpilogueStep {
  fileprivate var step: bnn_epilogue_step

  private init(
    _ kind: bnn_epilogue_kind, _ a: UnsafePointer<Float>? = nil, _ b: UnsafePointer<Float>? = nil,
    stride: Int = 0, lower: Float = 0, upper: Float = 0
  ) {
    step = bnn_epilogue_step(kind: kind, a: a, b: b, stride: stride, lower: lower, upper: upper)
  }

  static func affine(scale: UnsafePointer<Float>, bias: UnsafePointer<Float>) -> EpilogueStep {
    EpilogueStep(BNN_EPILOGUE_AFFINE, scale, bias)
  }
  static func slopes(
    positive: UnsafePointer<Float>, negative: UnsafePointer<Float>
  ) -> EpilogueStep {
    EpilogueStep(BNN_EPILOGUE_SLOPES, positive, negative)
  }
  static func clamp(lower: Float, upper: Float) -> EpilogueStep {
    EpilogueStep(BNN_EPILOGUE_CLAMP, lower: lower, upper: upper)
  }
  static var relu: EpilogueStep { EpilogueStep(BNN_EPILOGUE_RELU) }

  /// With another value, of which each row is `stride` elements after the one before it.
  static func combine(
    isProduct: Bool, isScalar: Bool, stride: Int
  ) -> EpilogueStep {
    let kind: bnn_epilogue_kind =
      switch (isProduct, isScalar) {
      case (false, false): BNN_EPILOGUE_ADD
      case (true, false): BNN_EPILOGUE_MULTIPLY
      case (false, true): BNN_EPILOGUE_ADD_SCALAR
      case (true, true): BNN_EPILOGUE_MULTIPLY_SCALAR
      }
    return EpilogueStep(kind, stride: stride)
  }

  /// The other value of `combine`, from the first row on.
  func with(operand: UnsafePointer<Float>) -> EpilogueStep {
    var bound = self
    bound.step.a = operand
    return bound
  }
}

/// Epilogues (see `bnn_epilogue.h`).
struct EpilogueKernel {
  private let kernel: bnn_epilogue
  var name: String { String(cString: kernel.name) }

  /// Channels that are processed together; parameters have whole blocks.
  static let block = 64
  /// Channels that numbers can be given for without the others.
  static let channelStep = 16

  init(_ pointer: UnsafePointer<bnn_epilogue>) { kernel = pointer.pointee }

  static var supported: [EpilogueKernel] {
    (0..<bnn_epilogue_count()).compactMap { bnn_epilogue_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { EpilogueKernel($0) }
  }

  /// A test of numbers against an interval per channel.
  struct Test {
    fileprivate var test: bnn_epilogue_test

    init(
      lower: UnsafeRawPointer, upper: UnsafeRawPointer, outsideIsPlus: UnsafePointer<UInt64>
    ) {
      test = bnn_epilogue_test(lower: lower, upper: upper, outside_is_plus: outsideIsPlus)
    }

    /// Bytes of the bounds of planes.
    static func boundBytes(channels: Int) -> Int {
      (channels + block - 1) / block * MemoryLayout<bnn_plane_bounds>.stride
    }

    /// The bounds of mismatches, of a test of integers that are bases minus twice the mismatches, of
    /// which there are up to `most`.
    func packBounds(
      channels: Int, most: Int, bases: UnsafePointer<Int32>, into bounds: UnsafeMutableRawPointer
    ) {
      bnn_plane_bounds_pack(
        channels, most, bases, test.lower.assumingMemoryBound(to: Int32.self),
        test.upper.assumingMemoryBound(to: Int32.self),
        bounds.assumingMemoryBound(to: bnn_plane_bounds.self))
    }
  }

  /// Numbers of some channels in rows that begin `step` after the one before, or integers of some
  /// without a gap; or planes of some, with the bases of each row.
  enum Source {
    case floats(UnsafePointer<Float>, channels: Range<Int>, step: Int)
    case integers(UnsafePointer<Int32>, channels: Range<Int>)
    case planes(
      UnsafeRawPointer, channels: Range<Int>, bases: UnsafePointer<UnsafePointer<Int32>?>)

    var channels: Range<Int> {
      switch self {
      case .floats(_, let range, _), .integers(_, let range), .planes(_, let range, _): range
      }
    }

    /// Planes are of groups of rows, and only given whole.
    func advanced(byRows count: Int) -> Source {
      switch self {
      case .floats(let x, let range, let step):
        .floats(x + count * step, channels: range, step: step)
      case .integers(let x, let range): .integers(x + count * range.count, channels: range)
      case .planes: self
      }
    }
  }

  /// What a result is stored as; rows of values begin `step` elements after the one before, and bits
  /// need a test.
  struct Target {
    var values: UnsafeMutablePointer<Float>?
    var step: Int
    var test: Test?
    var bits: UnsafeMutablePointer<UInt64>?
  }

  func run(
    rows: Int, channels: Int, _ source: Source, _ steps: UnsafeBufferPointer<EpilogueStep>,
    to target: Target
  ) {
    let list = UnsafeRawPointer(steps.baseAddress)?
      .assumingMemoryBound(to: bnn_epilogue_step.self)
    var test = target.test?.test ?? bnn_epilogue_test()
    let bits = target.test == nil ? nil : target.bits
    let range = bnn_channel_range(source.channels, of: channels)
    switch source {
    case .floats(let x, _, let step):
      kernel.floats(
        rows, range, x, step, list, steps.count, target.values, target.step, &test, bits)
    case .integers(let x, _):
      kernel.integers(
        rows, range, x, list, steps.count, target.values, target.step, &test, bits)
    case .planes(let planes, _, let bases):
      kernel.planes?(
        rows, range, planes.assumingMemoryBound(to: bnn_planes.self), bases, list, steps.count,
        target.values, target.step, &test, bits)
    }
  }

  /// Whether it takes mismatches in bit planes to finish them, or to test them for bits.
  var finishesPlanes: Bool { kernel.planes != nil }
  var testsPlanes: Bool { kernel.plane_bits != nil }

  /// Tests mismatches in the planes of some of `count` channels against the bounds of each row.
  func test(
    rows: Int, channels: Range<Int>, of count: Int, planes: UnsafeRawPointer,
    bounds: UnsafePointer<UnsafeRawPointer?>, _ test: Test, to bits: UnsafeMutablePointer<UInt64>
  ) {
    UnsafeRawPointer(bounds).withMemoryRebound(
      to: UnsafePointer<bnn_plane_bounds>?.self, capacity: rows
    ) {
      kernel.plane_bits?(
        rows, bnn_channel_range(channels, of: count),
        planes.assumingMemoryBound(to: bnn_planes.self), $0, test.test.outside_is_plus, bits)
    }
  }

  /// Tests integers of some of `count` channels.
  func test(
    rows: Int, channels: Range<Int>, of count: Int, _ x: UnsafePointer<Int32>, _ test: Test,
    to bits: UnsafeMutablePointer<UInt64>
  ) {
    var test = test.test
    kernel.accumulators(rows, bnn_channel_range(channels, of: count), x, &test, bits)
  }
}

extension bnn_channel_range {
  fileprivate init(_ channels: Range<Int>, of count: Int) {
    self.init(all: count, first: channels.lowerBound, count: channels.count)
  }
}
