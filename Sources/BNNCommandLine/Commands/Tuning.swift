import BNNKit

/// What `bnnbench --tune` measures: each binary layer with every design of its product, beside the
/// one that the runtime chooses without measuring.
struct Tuning: Encodable {
  struct Layer: Encodable {
    var name: String
    var chosen: String
    var fastest: String
    /// The least of several runs, by design.
    var milliseconds: [String: Double]

    /// How much longer the chosen design takes than the fastest, as a part of the latter.
    var loss: Double {
      guard let chosen = milliseconds[chosen], let fastest = milliseconds[fastest], fastest > 0
      else { return 0 }
      return chosen / fastest - 1
    }
  }

  var layers: [Layer]
  /// Layers where the chosen design was the fastest.
  var agreeing: Int
  /// The largest loss of the others.
  var largestLoss: Double

  init(_ layers: [Layer]) {
    self.layers = layers
    agreeing = layers.count { $0.chosen == $0.fastest }
    largestLoss = layers.map(\.loss).max() ?? 0
  }

  /// - Parameter inputs: of one run.
  static func measure(
    _ model: BinaryModel, threads: Int, kernels: KernelChoice, inputs: [String: Tensor], runs: Int
  ) throws(RuntimeError) -> Tuning {
    let designs = try InferenceSession.binaryProducts(of: kernels)
    let usual = try InferenceSession(model, threads: threads, kernels: kernels)
    let chosen = try usual.profile(inputs).layers.map(\.kernel)
    // The last one is what the runtime chooses, which may be no product at all.
    var sessions: [InferenceSession] = []
    for design in designs {
      sessions.append(
        try InferenceSession(model, threads: threads, kernels: kernels, binaryProduct: design))
    }
    sessions.append(usual)
    // By the product of each layer, which a design may have several of.
    var best = [[String: Double]](repeating: [:], count: chosen.count)
    // In turns, so that what else the machine does falls on all of them.
    for run in 0...runs {
      for session in sessions {
        let layers = try session.profile(inputs).layers
        // The first run only warms up.
        guard run > 0 else { continue }
        for (layer, timing) in layers.enumerated() {
          best[layer][timing.kernel, default: .infinity] = min(
            best[layer][timing.kernel, default: .infinity], timing.milliseconds)
        }
      }
    }
    var layers: [Layer] = []
    for (index, kernel) in chosen.enumerated() {
      guard case .binaryConvolution = model.layers[index].operation else { continue }
      let times = best[index]
      guard let fastest = times.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else {
        continue
      }
      layers.append(
        Layer(
          name: model.layers[index].name, chosen: kernel, fastest: fastest.key,
          milliseconds: times))
    }
    return Tuning(layers)
  }

  var text: String {
    var table = TextTable([
      ("binary layer", .left), ("chosen", .left), ("ms", .right), ("fastest", .left),
      ("ms", .right), ("loss", .right),
    ])
    for layer in layers {
      table.add([
        layer.name, layer.chosen, milliseconds(layer, layer.chosen), layer.fastest,
        milliseconds(layer, layer.fastest), percent(layer.loss),
      ])
    }
    return table.text
      + "\nchosen as measured: \(agreeing) of \(layers.count) layers; the others lose at most "
      + percent(largestLoss) + "\n"
  }

  private func milliseconds(_ layer: Layer, _ design: String) -> String {
    Formatting.fixed(layer.milliseconds[design] ?? 0, digits: 4)
  }

  private func percent(_ part: Double) -> String { Formatting.fixed(100 * part, digits: 1) + " %" }
}
