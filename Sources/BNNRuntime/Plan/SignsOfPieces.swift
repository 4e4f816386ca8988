import BNNFormat
import BNNTensor

/// Layers of signs that the layers before make as soon as they have computed a part of what is
/// tested: a concatenated value is read piece by piece, each while it is in the cache.
struct SignsOfPieces {
  /// A layer of signs, and from which of its channels on another layer's result is the input.
  struct Piece {
    var layer: Int
    var channel: Int
  }

  /// Indices of the layers of signs, which have nothing left to do.
  private(set) var layers: Set<Int> = []
  /// By the layer that makes the values.
  private(set) var pieces: [Int: [Piece]] = [:]

  init(_ model: BinaryModel, _ joined: [Int: JoinedValues.Place], _ buffers: [Buffer]) {
    var makers: [Int: Int] = [:]
    for (index, layer) in model.layers.enumerated() {
      for value in layer.outputs { makers[value] = index }
    }
    /// The layers whose epilogues write a value, and from which of its channels on; nil where
    /// something else writes a part of it.
    func parts(of value: Int) -> [(maker: Int, channel: Int)]? {
      guard let maker = makers[value] else { return nil }
      let layer = model.layers[maker]
      if layer.operation.endsWithEpilogue { return [(maker, 0)] }
      guard case .concatenate(let axis) = layer.operation, axis == buffers[value].shape.rank - 1
      else { return nil }
      let place = joined[value] ?? JoinedValues.Place(whole: value, channel: 0)
      var all: [(maker: Int, channel: Int)] = []
      var channel = 0
      for input in layer.inputs {
        // What is not made in its place is copied there later.
        guard joined[input] == .init(whole: place.whole, channel: place.channel + channel),
          let some = parts(of: input)
        else { return nil }
        for part in some { all.append((part.maker, channel + part.channel)) }
        channel += buffers[input].channels
      }
      return all
    }
    for (index, layer) in model.layers.enumerated() {
      guard case .pointwise(let epilogue) = layer.operation, case .bits = epilogue.output,
        epilogue.isPerChannel,
        let parts = parts(of: layer.inputs[0])
      else { continue }
      layers.insert(index)
      for part in parts {
        pieces[part.maker, default: []].append(Piece(layer: index, channel: part.channel))
      }
    }
  }

  /// Gives the layers that make values the signs that they make of them.
  func attach(to contexts: inout [LayerContext]) throws(RuntimeError) {
    var programs: [Int: EpilogueProgram] = [:]
    for index in layers {
      guard case .pointwise(let epilogue) = contexts[index].layer.operation else { continue }
      programs[index] = try EpilogueProgram(epilogue, contexts[index])
    }
    for (maker, pieces) in pieces {
      for piece in pieces {
        guard let program = programs[piece.layer] else { continue }
        contexts[maker].signPrograms.append(program)
        contexts[maker].signs.append(
          PieceSigns(program, input: contexts[piece.layer].inputs[0], channel: piece.channel))
      }
    }
  }
}
