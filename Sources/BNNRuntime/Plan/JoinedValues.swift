import BNNFormat
import BNNTensor

/// Values that are made where a concatenation along the last axis wants them: a part of the
/// channels of each of its rows. A concatenation may itself be a part of another.
struct JoinedValues {
  /// A part of a value: its channels from this one on.
  struct Place: Equatable {
    var whole: Int
    var channel: Int
  }

  /// By value; those that have a place of their own are not here.
  private(set) var places: [Int: Place] = [:]

  init(_ model: BinaryModel, _ buffers: [Buffer]) {
    let movable = JoinedValues.movableValues(of: model, buffers)
    // The last first, so that the place of what a concatenation makes is known.
    for layer in model.layers.reversed() {
      guard case .concatenate(let axis) = layer.operation else { continue }
      let output = layer.outputs[0]
      guard buffers[output].type == .float32, axis == buffers[output].shape.rank - 1 else {
        continue
      }
      var place = places[output] ?? Place(whole: output, channel: 0)
      for input in layer.inputs {
        if movable.contains(input), places[input] == nil { places[input] = place }
        place.channel += buffers[input].channels
      }
    }
  }

  /// Values whose makers write, and whose users read, rows at any distance.
  private static func movableValues(of model: BinaryModel, _ buffers: [Buffer]) -> Set<Int> {
    var movable: Set<Int> = []
    for layer in model.layers where layer.operation.writesRowsAnywhere {
      // Bits, which may follow, have rows of their own.
      if buffers[layer.outputs[0]].type == .float32 { movable.insert(layer.outputs[0]) }
    }
    movable.subtract(model.outputs)
    for layer in model.layers {
      switch layer.operation {
      case .concatenate(let axis) where axis == buffers[layer.outputs[0]].shape.rank - 1: continue
      case .pointwise: movable.subtract(layer.inputs.dropFirst())
      default: movable.subtract(layer.inputs)
      }
    }
    return movable
  }
}

extension Operation {
  fileprivate var writesRowsAnywhere: Bool {
    if case .concatenate = self { true } else { endsWithEpilogue }
  }

  /// Whether real values are written row by row at the end of an epilogue.
  var endsWithEpilogue: Bool {
    switch self {
    case .binaryConvolution, .convolution, .quantizedConvolution, .pool, .pointwise: true
    default: false
    }
  }
}
