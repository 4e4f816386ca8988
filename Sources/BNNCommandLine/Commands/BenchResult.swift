import BNNKit

/// What `bnnbench` prints.
struct BenchResult: Encodable {
  var schemaVersion = 1
  var latencyMilliseconds: Latency
  var threads: Int
  var runs: Int
  var batch: Int
  var kernels: String
  /// From opening the file until the model can run.
  var loadMilliseconds: Double
  /// Of a `.bnn`: what the runtime holds beside the file's content.
  var memoryBytes: MemoryBytes?
  var layers: [LayerLatency]?
  /// Of `layers`.
  var splitMilliseconds: TimeSplit?
  var tuning: Tuning?

  var text: String {
    var text = "latency: minimum \(ms(latencyMilliseconds.min)) ms"
    text += ", median \(ms(latencyMilliseconds.median)) ms, p90 \(ms(latencyMilliseconds.p90)) ms"
    text += " (\(runs) runs, batch \(batch), threads \(threads), kernels \(kernels))\n"
    text += "load: \(ms(loadMilliseconds)) ms\n"
    if let memoryBytes { text += memoryBytes.text }
    if let layers { text += self.text(of: layers) }
    if let tuning { text += "\n" + tuning.text }
    return text
  }

  private func text(of layers: [LayerLatency]) -> String {
    var table = TextTable([
      ("layer", .left), ("kind", .left), ("operation", .left), ("ms", .right),
      ("binary MACs", .right),
      ("float MACs", .right), ("kernel", .left),
    ])
    for layer in layers {
      table.add([
        layer.name, layer.kind, layer.operation, ms(layer.milliseconds),
        Formatting.grouped(layer.binaryMACs),
        Formatting.grouped(layer.floatMACs), layer.kernel,
      ])
    }
    let split = TimeSplit(layers)
    var text = "\n" + table.text + "\nbinary convolutions \(ms(split.binaryConvolutions)) ms"
    text += ", real-valued convolutions \(ms(split.floatConvolutions)) ms"
    return text + ", the rest \(ms(split.rest)) ms\n"
  }

  private func ms(_ value: Double) -> String { Formatting.fixed(value, digits: 4) }
}

struct MemoryBytes: Encodable {
  var weights: Int
  var values: Int
  var steps: Int

  init(_ use: MemoryUse) { (weights, values, steps) = (use.weights, use.values, use.steps) }

  var text: String {
    "memory: weights \(Formatting.grouped(weights)), values \(Formatting.grouped(values)), "
      + "steps \(Formatting.grouped(steps)) bytes\n"
  }
}

struct Latency: Encodable {
  var min: Double
  var median: Double
  var p90: Double

  /// - Parameter samples: at least one.
  init(_ samples: [Double]) {
    let sorted = samples.sorted()
    min = sorted.first ?? 0
    median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    p90 = sorted[(sorted.count * 9 + 9) / 10 - 1]
  }
}

/// Where the time of a model goes; dense layers count as convolutions.
struct TimeSplit: Encodable {
  var binaryConvolutions = 0.0
  var floatConvolutions = 0.0
  var rest = 0.0

  init(_ layers: [LayerLatency]) {
    for layer in layers {
      if layer.binaryMACs > 0 {
        binaryConvolutions += layer.milliseconds
      } else if layer.floatMACs > 0 {
        floatConvolutions += layer.milliseconds
      } else {
        rest += layer.milliseconds
      }
    }
  }
}

struct LayerLatency: Encodable {
  var name: String
  var kind: String
  var operation: String
  /// The median over the runs.
  var milliseconds: Double
  var binaryMACs: Int
  var floatMACs: Int
  var kernel: String

  /// - Parameter samples: the same layer in several runs, at least one.
  init(_ facts: LayerFacts, samples: [LayerTiming]) {
    name = facts.name
    kind = facts.kind
    operation = facts.operation
    milliseconds = Latency(samples.map(\.milliseconds)).median
    binaryMACs = facts.binaryMACs
    floatMACs = facts.floatMACs
    kernel = samples.first?.kernel ?? ""
  }
}
