import CBNNKernels

/// Convolutions of real images in tiles, with fewer multiplications (see `bnn_winograd.h`).
struct WinogradKernel {
  private let kernel: bnn_winograd
  let name: String

  init(_ pointer: UnsafePointer<bnn_winograd>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
  }

  static var supported: [WinogradKernel] {
    (0..<bnn_winograd_count()).compactMap { bnn_winograd_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { WinogradKernel($0) }
  }

  /// A convolution that tiles can compute.
  struct Shape {
    fileprivate let shape: bnn_winograd_shape

    /// - Returns: nil where the window has no such tiles.
    init?(_ window: ImageWindow, channels: Int, outputs: Int) {
      var shape = bnn_winograd_shape()
      let fits = withUnsafePointer(to: window.window) {
        bnn_winograd_shape_of($0, channels, outputs, &shape)
      }
      guard fits else { return nil }
      self.shape = shape
    }

    private var rows: bnn_winograd_axis { shape.axes.0 }
    private var columns: bnn_winograd_axis { shape.axes.1 }

    /// Rows of tiles of an image, and rows of the result that each has.
    var tileRows: Int { rows.tiles }
    var rowsPerTile: Int { rows.outputs }

    var weightBytes: Int { bnn_winograd_weight_bytes([shape]) }

    /// Weights for all points are several times as many as those of the taps.
    private static let mostWeightBytes = 4 << 20

    /// Whether tiles take less time than sums of products.
    ///
    /// In multiplications of a vector of outputs, of which a block of sixteen takes one: a tile has
    /// one per pair of points and channel. Bringing its products back to outputs costs about five
    /// for each vector that it makes on the way, and the transformation of eight channels of its
    /// input, which all blocks share, about 250.
    var isWorthwhile: Bool {
      let blocks = (shape.outputs + 15) / 16
      let points = Int(bnn_winograd_points)
      let phaseChannels = columns.stride * shape.channels
      let products = points * points * rows.stride * phaseChannels
      let outputs = 5 * rows.outputs * (points + columns.outputs)
      let inputs = 250 * rows.stride * ((phaseChannels + 7) / 8)
      let tiles = rows.tiles * columns.tiles * ((products + outputs) * blocks + inputs)
      let direct = rows.output * columns.output * rows.kernel * columns.kernel * shape.channels
      return tiles < direct * blocks && weightBytes <= Shape.mostWeightBytes
    }
  }

  /// Rows are [output][tap along rows][tap along columns][channel].
  static func packWeights(
    _ shape: Shape, rows: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    bnn_winograd_pack_weights([shape.shape], rows, packed)
  }

  func scratchBytes(_ shape: Shape) -> Int { kernel.scratch_bytes([shape.shape]) }

  /// Computes the rows of an image's result that a row of tiles has, and that there are.
  func multiply(
    _ shape: Shape, image: UnsafePointer<Float>, packedWeights: UnsafePointer<Float>,
    tileRow: Int, scratch: UnsafeMutableRawPointer,
    out: UnsafePointer<UnsafeMutablePointer<Float>?>
  ) {
    withUnsafePointer(to: shape.shape) {
      kernel.tile_row($0, image, packedWeights, tileRow, scratch, out)
    }
  }
}

extension bnn_winograd_axis {
  fileprivate var kernel: Int { (taps - 1) * stride + full_phases }
}
