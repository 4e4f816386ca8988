import CBNNKernels

/// A window over channels-last images with three spatial dimensions (see `bnn_window.h`).
struct ImageWindow {
  private(set) var window: bnn_window

  /// All lists have three entries.
  init(
    input: [Int], output: [Int], kernel: [Int], strides: [Int], dilations: [Int], padsBegin: [Int]
  ) {
    func triple(_ list: [Int]) -> (Int64, Int64, Int64) {
      (Int64(list[0]), Int64(list[1]), Int64(list[2]))
    }
    window = bnn_window(
      input: triple(input), output: triple(output), kernel: triple(kernel),
      stride: triple(strides), dilation: triple(dilations), pad: triple(padsBegin))
  }

  /// Where the elements of each tap are, from those of tap 0 (see `bnn_window_offsets`).
  ///
  /// - Returns: how many there are from the first to the last.
  func offsets(
    pixelElements: Int, elements: Int, into offsets: UnsafeMutablePointer<UInt32>
  ) -> Int {
    withUnsafePointer(to: window) { bnn_window_offsets($0, pixelElements, elements, offsets) }
  }

  /// The taps [first, end) of an axis that lie in the input, and the input position of tap 0.
  struct AxisTaps {
    var first: Int
    var end: Int
    var origin: Int
  }

  /// The image and the taps per axis of an output position.
  func taps(at position: Int) -> (image: Int, z: AxisTaps, y: AxisTaps, x: AxisTaps) {
    let taps = withUnsafePointer(to: window) { bnn_window_taps($0, position) }
    func axis(_ first: Int64, _ end: Int64, _ origin: Int64) -> AxisTaps {
      AxisTaps(first: Int(first), end: Int(end), origin: Int(origin))
    }
    return (
      Int(taps.image), axis(taps.first.0, taps.end.0, taps.origin.0),
      axis(taps.first.1, taps.end.1, taps.origin.1), axis(taps.first.2, taps.end.2, taps.origin.2)
    )
  }
}

/// Where rows with copied taps lie (see `bnn_row_places`).
struct RowPlaces {
  fileprivate let places: bnn_row_places

  /// For `copiedBytes` of each tap.
  init(_ window: ImageWindow, pixelBytes: Int, copiedBytes: Int) {
    places = withUnsafePointer(to: window.window) {
      bnn_window_row_places($0, pixelBytes, copiedBytes, AlignedMemory.alignment)
    }
  }

  func bytes(rows: Int) -> Int {
    withUnsafePointer(to: places) { bnn_row_places_bytes($0, rows) }
  }
}

/// Gathering what windows see into rows (see `bnn_window.h`).
struct GatherKernel {
  private let kernel: bnn_gather
  var name: String { String(cString: kernel.name) }

  init(_ pointer: UnsafePointer<bnn_gather>) { kernel = pointer.pointee }

  /// A block of channels of every pixel.
  struct Channels {
    /// Words (bits) or elements (floats) of one pixel.
    var pixelSize: Int
    var first: Int
    var count: Int
  }

  func bits(
    _ window: ImageWindow, _ input: UnsafePointer<UInt64>, _ channels: Channels, outside: Bool,
    positions: Range<Int>, to rows: UnsafeMutablePointer<UInt64>, rowWords: Int
  ) {
    withUnsafePointer(to: window.window) {
      kernel.bits(
        $0, input, channels.pixelSize, channels.first, channels.count, outside ? 1 : 0,
        positions.lowerBound, positions.count, rows, rowWords)
    }
  }

  /// Points rows to the input where all taps are inside, and gathers the others (see `rows` in
  /// `bnn_window.h`).
  func rows(
    _ window: ImageWindow, _ input: UnsafeRawPointer, pixelBytes: Int, tapBytes: Int,
    outside: UnsafeRawPointer, positions: Range<Int>,
    to rows: UnsafeMutablePointer<UnsafeRawPointer?>, scratch: UnsafeMutableRawPointer,
    _ places: RowPlaces
  ) {
    withUnsafePointer(to: window.window) { window in
      withUnsafePointer(to: places.places) {
        kernel.rows(
          window, input, pixelBytes, tapBytes, outside, positions.lowerBound, positions.count,
          rows, scratch, $0)
      }
    }
  }

  func floats(
    _ window: ImageWindow, _ input: UnsafePointer<Float>, _ channels: Channels,
    positions: Range<Int>, to rows: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: window.window) {
      kernel.floats(
        $0, input, channels.pixelSize, channels.first, channels.count, positions.lowerBound,
        positions.count, rows)
    }
  }
}

/// Pools and weighted sums of real values (see `bnn_windowpool.h`).
struct WindowPoolKernel {
  private let kernel: bnn_windowpool
  let name: String

  init(_ pointer: UnsafePointer<bnn_windowpool>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
  }

  static var supported: [WindowPoolKernel] {
    (0..<bnn_windowpool_count()).compactMap { bnn_windowpool_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { WindowPoolKernel($0) }
  }

  /// The minimum of channels that have the sign bit in `signs`.
  func maximum(
    _ window: ImageWindow, _ input: UnsafePointer<Float>, channels: Int,
    signs: UnsafePointer<UInt32>?, positions: Range<Int>, to out: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: window.window) {
      kernel.maximum($0, input, channels, signs, positions.lowerBound, positions.count, out)
    }
  }

  /// `padsEnd` has three entries.
  func average(
    _ window: ImageWindow, _ input: UnsafePointer<Float>, channels: Int, positions: Range<Int>,
    countsPadding: Bool, padsEnd: [Int], to out: UnsafeMutablePointer<Float>
  ) {
    let pads = (Int64(padsEnd[0]), Int64(padsEnd[1]), Int64(padsEnd[2]))
    withUnsafePointer(to: window.window) { window in
      withUnsafeBytes(of: pads) {
        kernel.average(
          window, input, channels, positions.lowerBound, positions.count, countsPadding,
          $0.baseAddress?.assumingMemoryBound(to: Int64.self), out)
      }
    }
  }

  /// `weights` has one number per tap and channel.
  func weighted(
    _ window: ImageWindow, _ input: UnsafePointer<Float>, channels: Int,
    weights: UnsafePointer<Float>, positions: Range<Int>, to out: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: window.window) {
      kernel.weighted($0, input, channels, weights, positions.lowerBound, positions.count, out)
    }
  }
}
