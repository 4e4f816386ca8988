/// Finds the range of the numbers that layers read, by running a model on real inputs.
struct Calibration {
  private let model: BinaryModel
  private let values: [Int]
  private let session: InferenceSession
  private var samples: [Int: NumberSample] = [:]

  /// - Parameter values: of the model, whose numbers are looked at.
  init(_ model: BinaryModel, values: Set<Int>) throws(RuntimeError) {
    var open = model
    for value in values.sorted() {
      if !open.outputs.contains(value) { open.outputs.append(value) }
      // Unnamed inside the model, so that no name is taken twice.
      if open.values[value].name.isEmpty { open.values[value].name = "\u{1}value \(value)" }
    }
    self.model = open
    self.values = values.sorted()
    // Those of plain kernels are the same numbers on every CPU: equal sources give equal files.
    session = try InferenceSession(open, kernels: .scalar)
  }

  mutating func run(_ inputs: [String: Tensor]) throws(RuntimeError) {
    let found = Dictionary(try session.run(inputs).map { ($0.name, $0.tensor) }) { first, _ in
      first
    }
    for value in values {
      guard let numbers = found[model.values[value].name]?.floats else { continue }
      samples[value, default: NumberSample()].add(numbers)
    }
  }

  /// The range of the middle numbers of a value; nil where none was finite.
  ///
  /// - Parameter percentile: how many percent of them it holds.
  func range(of value: Int, percentile: Double) -> ClosedRange<Float>? {
    samples[value]?.range(percentile: percentile)
  }
}

/// The smallest and the largest of many numbers, and evenly spaced ones of them.
private struct NumberSample {
  private static let most = 1 << 20

  private var lower = Float.infinity
  private var upper = -Float.infinity
  private var numbers: [Float] = []
  /// Every so many-th number is kept.
  private var stride = 1
  private var seen = 0

  mutating func add(_ new: [Float]) {
    for number in new where number.isFinite {
      (lower, upper) = (min(lower, number), max(upper, number))
      if seen % stride == 0 { numbers.append(number) }
      seen += 1
      guard numbers.count == NumberSample.most else { continue }
      numbers = numbers.indices.filter { $0 % 2 == 0 }.map { numbers[$0] }
      stride *= 2
    }
  }

  func range(percentile: Double) -> ClosedRange<Float>? {
    guard lower <= upper else { return nil }
    guard percentile < 100 else { return lower...upper }
    let sorted = numbers.sorted()
    let outside = Int((Double(sorted.count) * (100 - percentile) / 200).rounded(.down))
    return sorted[outside]...sorted[sorted.count - 1 - outside]
  }
}

extension Converter {
  /// Makes the layers compute in integers for which the options say so.
  func quantize(
    _ lowered: inout LoweredModel, _ canonical: Graph, file: String
  ) throws(ConversionError) -> [UnquantizedLayer] {
    let model = lowered.model
    let storage = options.storage
    let layers = lowered.realLayers.filter {
      storage.weights(of: model.layers[$0].name) == .int8Compute
    }
    let quantizable = Set(lowered.quantizableLayers).intersection(layers).sorted()
    var ranges: [Int: ClosedRange<Float>] = [:]
    if options.calibration.isEmpty {
      let known = model.knownRanges
      for layer in quantizable { ranges[layer] = known[model.layers[layer].inputs[0]] }
      let open = quantizable.filter { ranges[$0] == nil }
      guard open.isEmpty else {
        throw .calibrationMissing(file: file, layers: open.map { model.layers[$0].name })
      }
    } else {
      do {
        var calibration = try Calibration(
          model, values: Set(quantizable.map { model.layers[$0].inputs[0] }))
        // One entry of the batch at a time: all looked-at values of all entries may not fit.
        let parts = VerificationInputs(options.calibration, for: canonical, atMost: 1)
        for part in parts.runs { try calibration.run(part) }
        for layer in quantizable {
          ranges[layer] = calibration.range(
            of: model.layers[layer].inputs[0],
            percentile: storage.percentile(of: model.layers[layer].name))
        }
      } catch {
        throw .calibration(file: file, error)
      }
    }
    return lowered.quantize(layers, ranges: ranges)
  }
}
