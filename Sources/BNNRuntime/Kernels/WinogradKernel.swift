import CBNNKernels

/// Convolutions of real images in tiles, with fewer multiplications: along both axes (see
/// `bnn_winograd.h`) or along rows only (`bnn_winograd1d.h`).
struct WinogradKernel {
  private let bothAxes: bnn_winograd
  private let rowsOnly: bnn_winograd1d

  /// Both of one instruction set.
  init(isa: bnn_isa) {
    bothAxes = bnn_winograd_best(isa).pointee
    rowsOnly = bnn_winograd1d_best(isa).pointee
  }

  /// A convolution that tiles can compute.
  enum Shape {
    case bothAxes(bnn_winograd_shape)
    /// For few channels, whose products are too few for what tiles of both axes cost.
    case rowsOnly(bnn_winograd1d_shape)

    /// The tiles that take the least time.
    ///
    /// - Parameter isPlanar: whether an image has its channels one after the other, which tiles of
    ///   rows alone can read.
    /// - Returns: nil where the window has no tiles, or sums of products are faster.
    init?(_ window: ImageWindow, channels: Int, outputs: Int, isPlanar: Bool) {
      var bothAxes = bnn_winograd_shape()
      var rowsOnly = bnn_winograd1d_shape()
      let (fitsBothAxes, fitsRows) = withUnsafePointer(to: window.window) {
        (
          !isPlanar && bnn_winograd_shape_of($0, channels, outputs, &bothAxes),
          bnn_winograd1d_shape_of($0, channels, outputs, isPlanar, &rowsOnly)
        )
      }
      let shapes: [Shape] =
        (fitsRows ? [.rowsOnly(rowsOnly)] : []) + (fitsBothAxes ? [.bothAxes(bothAxes)] : [])
      guard let best = shapes.min(by: { $0.cost < $1.cost }),
        best.cost < Shape.costOfSums(window, channels: channels, outputs: outputs),
        best.weightBytes <= Shape.mostWeightBytes
      else { return nil }
      self = best
    }

    /// Whether an image may have its channels one after the other.
    var readsPlanes: Bool { if case .rowsOnly = self { true } else { false } }

    /// Rows of tiles of an image, and rows of the result that each has.
    var tileRows: Int {
      switch self {
      case .bothAxes(let shape): shape.axes.0.tiles
      case .rowsOnly(let shape): shape.tiles
      }
    }

    var rowsPerTile: Int {
      switch self {
      case .bothAxes(let shape): shape.axes.0.outputs
      case .rowsOnly(let shape): shape.tile_rows
      }
    }

    var weightBytes: Int {
      switch self {
      case .bothAxes(let shape): bnn_winograd_weight_bytes([shape])
      case .rowsOnly(let shape): bnn_winograd1d_weight_bytes([shape])
      }
    }

    /// Weights for all points are several times as many as those of the taps.
    private static let mostWeightBytes = 4 << 20

    /// In multiplications of a vector of outputs, of which a block of sixteen takes one.
    private var cost: Int {
      switch self {
      case .bothAxes(let shape): shape.cost
      case .rowsOnly(let shape): shape.cost
      }
    }

    private static func costOfSums(_ window: ImageWindow, channels: Int, outputs: Int) -> Int {
      let window = window.window
      let positions = Int(window.output.1 * window.output.2)
      return positions * Int(window.kernel.1 * window.kernel.2) * channels * blocks(of: outputs)
    }

    fileprivate static func blocks(of outputs: Int) -> Int { (outputs + 15) / 16 }
  }

  /// Rows are [output][tap along rows][tap along columns][channel].
  static func packWeights(
    _ shape: Shape, rows: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    switch shape {
    case .bothAxes(let shape): bnn_winograd_pack_weights([shape], rows, packed)
    case .rowsOnly(let shape): bnn_winograd1d_pack_weights([shape], rows, packed)
    }
  }

  var names: [String] { [String(cString: bothAxes.name), String(cString: rowsOnly.name)] }

  func name(_ shape: Shape) -> String {
    switch shape {
    case .bothAxes: names[0]
    case .rowsOnly: names[1]
    }
  }

  func scratchBytes(_ shape: Shape) -> Int {
    switch shape {
    case .bothAxes(let shape): bothAxes.scratch_bytes([shape])
    case .rowsOnly(let shape): rowsOnly.scratch_bytes([shape])
    }
  }

  /// Computes the rows of an image's result that a row of tiles has, and that there are.
  func multiply(
    _ shape: Shape, image: UnsafePointer<Float>, packedWeights: UnsafePointer<Float>,
    tileRow: Int, scratch: UnsafeMutableRawPointer,
    out: UnsafePointer<UnsafeMutablePointer<Float>?>
  ) {
    switch shape {
    case .bothAxes(let shape):
      withUnsafePointer(to: shape) {
        bothAxes.tile_row($0, image, packedWeights, tileRow, scratch, out)
      }
    case .rowsOnly(let shape):
      withUnsafePointer(to: shape) {
        rowsOnly.tile($0, image, packedWeights, tileRow, scratch, out)
      }
    }
  }
}

extension bnn_winograd_shape {
  /// A tile has one multiplication per pair of points and channel. Bringing its products back to
  /// outputs costs about five for each vector that it makes on the way, and the transformation of
  /// eight channels of its input, which all blocks share, about 250.
  fileprivate var cost: Int {
    let (rows, columns) = axes
    let points = Int(bnn_winograd_points)
    let phaseChannels = columns.stride * channels
    let products = points * points * rows.stride * phaseChannels
    let results = 5 * rows.outputs * (points + columns.outputs)
    let inputs = 250 * rows.stride * ((phaseChannels + 7) / 8)
    let blocks = WinogradKernel.Shape.blocks(of: outputs)
    return rows.tiles * columns.tiles * ((products + results) * blocks + inputs)
  }
}

extension bnn_winograd1d_shape {
  /// A tile has one multiplication per point, tap along columns and channel for each column, fewer at
  /// the last point. They take three quarters of the time of those of both axes, which are spread over
  /// more steps, and six columns are computed together, or twelve of few outputs. Bringing a column's
  /// products back to rows costs about 60, and the transformation of a vector of a line 40.
  fileprivate var cost: Int {
    let phases = (Int(bnn_winograd1d_points) - 1) * stride.0 + full_phases
    let products = phases * kernel.1 * channels * 3 / 4
    let together = outputs > 32 ? 6 : 12
    let columns = (output.1 + together - 1) / together * together
    let inputs = 40 * stride.0 * ((input.1 * channels + 15) / 16)
    let blocks = WinogradKernel.Shape.blocks(of: outputs)
    return tiles * ((columns * products + output.1 * 60) * blocks + inputs)
  }
}
