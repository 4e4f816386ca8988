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
    let chosen = try InferenceSession(model, threads: threads, kernels: kernels)
      .profile(inputs).layers.map(\.kernel)
    var sessions: [InferenceSession] = []
    for design in designs {
      sessions.append(
        try InferenceSession(model, threads: threads, kernels: kernels, binaryProduct: design))
    }
    var best = [[Double]](
      repeating: [Double](repeating: .infinity, count: chosen.count), count: designs.count)
    // In turns, so that what else the machine does falls on all of them.
    for run in 0...runs {
      for (index, session) in sessions.enumerated() {
        let layers = try session.profile(inputs).layers
        // The first run only warms up.
        guard run > 0 else { continue }
        for (layer, timing) in layers.enumerated() {
          best[index][layer] = min(best[index][layer], timing.milliseconds)
        }
      }
    }
    var layers: [Layer] = []
    for (index, kernel) in chosen.enumerated() where designs.contains(kernel) {
      let times = zip(designs, best.map { $0[index] })
      guard let fastest = times.min(by: { $0.1 < $1.1 }) else { continue }
      layers.append(
        Layer(
          name: model.layers[index].name, chosen: kernel, fastest: fastest.0,
          milliseconds: Dictionary(uniqueKeysWithValues: times.map { ($0.0, $0.1) })))
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
