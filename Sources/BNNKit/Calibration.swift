/// What real weights become in the file.
public enum FloatStorage: String, Hashable, Sendable, CaseIterable {
  /// The source's numbers. Exact.
  case float32
  /// Weights of one byte, multiplied with inputs of one byte in integers. Lossy.
  case int8Compute = "int8-compute"
}

/// Finds the smallest and largest numbers that layers read, by running a model on real inputs.
struct Calibration {
  private let model: BinaryModel
  private let values: [Int]
  private let session: InferenceSession
  private(set) var ranges: [Int: ClosedRange<Float>] = [:]

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
      var lower = ranges[value]?.lowerBound ?? .infinity
      var upper = ranges[value]?.upperBound ?? -.infinity
      for x in numbers where x.isFinite { (lower, upper) = (min(lower, x), max(upper, x)) }
      if lower <= upper { ranges[value] = lower...upper }
    }
  }
}

extension Converter {
  /// Makes the layers with real weights compute in integers.
  func quantize(
    _ lowered: inout LoweredModel, _ canonical: Graph, file: String
  ) throws(ConversionError) -> [UnquantizedLayer] {
    let model = lowered.model
    let layers = lowered.quantizableLayers.filter { !model.layers[$0].inputs.isEmpty }
    var ranges: [Int: ClosedRange<Float>] = [:]
    if options.calibration.isEmpty {
      ranges = model.knownRanges
      let open = layers.filter { ranges[model.layers[$0].inputs[0]] == nil }
      guard open.isEmpty else {
        throw .calibrationMissing(file: file, layers: open.map { model.layers[$0].name })
      }
    } else {
      do {
        var calibration = try Calibration(
          model, values: Set(layers.map { model.layers[$0].inputs[0] }))
        // One entry of the batch at a time: all looked-at values of all entries may not fit.
        let parts = VerificationInputs(options.calibration, for: canonical, atMost: 1)
        for part in parts.runs { try calibration.run(part) }
        ranges = calibration.ranges
      } catch {
        throw .calibration(file: file, error)
      }
    }
    return lowered.quantize(ranges)
  }
}
