import BNNKit

/// Times the kernels of every instruction set on whole binary convolution steps, and checks them
/// against the portable ones.
struct KernelBench {
  var choices: [KernelChoice]
  var threads: Int
  var batch: Int
  var runs: Int
  var seed: UInt64

  /// A binary convolution with `same` padding over a square image.
  struct Step {
    var extent: Int
    var channels: Int
    var outputs: Int
    var kernel: Int
    var groups = 1

    var name: String {
      let size = "\(kernel)×\(kernel) \(channels)→\(outputs) at \(extent)×\(extent)"
      return groups == 1 ? size : size + ", \(groups) groups"
    }
  }

  /// What comes out of a step.
  enum Result: String, Encodable, CaseIterable {
    /// Integer thresholds.
    case bits
    /// Scale, bias, shortcut and two slopes; numbers and the bits of their signs.
    case numbersAndBits = "numbers + bits"
  }

  struct Measurement: Encodable {
    var step: String
    var result: Result
    var kernels: String
    /// The kernel that multiplies.
    var product: String
    /// Whether the runtime chooses it for this shape.
    var isChosen: Bool
    var milliseconds: Double
    /// 10⁹ multiply-accumulates a second.
    var gigaMACsPerSecond: Double
    /// The same, bit for bit, as the portable kernels give.
    var agrees: Bool
  }

  /// The shapes of residual networks, groups, and channels that fill no words.
  static let steps: [Step] =
    [(56, 64), (28, 128), (14, 256), (7, 512)].map {
      Step(extent: $0, channels: $1, outputs: $1, kernel: 3)
    } + [Step(extent: 14, channels: 1024, outputs: 1024, kernel: 1)]
    + [2, 4, 8, 32, 256].map {
      Step(extent: 14, channels: 256, outputs: 256, kernel: 3, groups: $0)
    }
    + [3, 16, 31, 48, 65, 96].map { Step(extent: 28, channels: $0, outputs: 128, kernel: 3) }

  func measure(
    progress: (String) -> Void
  ) throws(CommandError) -> [Measurement] {
    var measurements: [Measurement] = []
    for step in KernelBench.steps {
      for result in Result.allCases {
        progress(step.name)
        measurements += try measure(step, result)
      }
    }
    return measurements
  }

  private func measure(_ step: Step, _ result: Result) throws(CommandError) -> [Measurement] {
    var generator = InputGenerator(seed: seed)
    let model = model(step, result, &generator)
    let inputs = try generator.tensors(for: model.inputs.map { Port(model.values[$0]) }, batch: 1)
    let macs =
      batch * step.extent * step.extent * step.outputs * step.kernel * step.kernel
      * step.channels / step.groups
    do {
      let expected = try InferenceSession(model, kernels: .scalar).run(inputs).map(\.tensor)
      var measurements: [Measurement] = []
      for choice in choices {
        var products: Set<String> = []
        for (isChosen, session) in try sessions(model, choice) {
          var best = Double.infinity
          var agrees = true
          var product = ""
          for _ in 0..<runs {
            let (outputs, layers) = try session.profile(inputs)
            best = min(best, layers.reduce(0) { $0 + $1.milliseconds })
            agrees = agrees && outputs.map(\.tensor) == expected
            product = layers.last?.kernel ?? ""
          }
          // Small groups have a product of their own, whatever the design of the others.
          guard products.insert(product).inserted else { continue }
          measurements.append(
            Measurement(
              step: step.name, result: result, kernels: choice.rawValue, product: product,
              isChosen: isChosen, milliseconds: best,
              gigaMACsPerSecond: Double(macs) / best / 1e6, agrees: agrees))
        }
      }
      return measurements
    } catch {
      throw CommandError(error, file: step.name)
    }
  }

  /// One with the design that the runtime chooses, and one for each design of the instruction set.
  private func sessions(
    _ model: BinaryModel, _ choice: KernelChoice
  ) throws(RuntimeError) -> [(isChosen: Bool, session: InferenceSession)] {
    var sessions = [(true, try InferenceSession(model, threads: threads, kernels: choice))]
    for name in try InferenceSession.binaryProducts(of: choice)
    where name.hasSuffix("__" + choice.rawValue) {
      sessions.append(
        (
          false,
          try InferenceSession(model, threads: threads, kernels: choice, binaryProduct: name)
        ))
    }
    return sessions
  }

  private func model(
    _ step: Step, _ result: Result, _ generator: inout InputGenerator
  ) -> BinaryModel {
    let padding = [Int](repeating: step.kernel / 2, count: 2)
    let geometry = ConvolutionGeometry(
      window: WindowGeometry(
        kernel: [step.kernel, step.kernel], strides: [1, 1], dilations: [1, 1], padsBegin: padding,
        padsEnd: padding), groups: step.groups)
    let inputs = step.channels / step.groups
    let weights = generator.signs([step.outputs, step.kernel, step.kernel, inputs])
    let list = { (value: Float) in [Float](repeating: value, count: step.outputs) }
    let always = [Bool](repeating: true, count: step.outputs)
    let epilogue =
      switch result {
      case .bits:
        Epilogue(
          output: .accumulatorBits(
            Thresholds(
              lower: [Int32](repeating: 1, count: step.outputs),
              upper: [Int32](repeating: .max, count: step.outputs), insideIsPlus: always)))
      case .numbersAndBits:
        Epilogue(
          steps: [
            .affine(scale: list(0.125), bias: list(0.3)), .add(operand: 0),
            .slopes(positive: list(1), negative: list(0.25)),
          ],
          output: .valuesAndBits(
            Thresholds(lower: list(0), upper: list(.infinity), insideIsPlus: always)))
      }
    func value(_ name: String, _ type: ElementType, _ channels: Int) -> ModelValue {
      ModelValue(
        name: name, elementType: type,
        dimensions: [batch, step.extent, step.extent, channels].map { .fixed($0) })
    }
    var values = [value("x", .sign, step.channels)]
    if result == .numbersAndBits { values.append(value("shortcut", .float32, step.outputs)) }
    let inputIndices = Array(values.indices)
    for (index, type) in epilogue.outputTypes.enumerated() {
      values.append(value("y\(index)", type, step.outputs))
    }
    let outputIndices = Array(values.indices.dropFirst(inputIndices.count))
    return BinaryModel(
      provenance: Provenance(
        producer: "", sourceName: "", sourceBytes: 0, passes: [], options: []),
      values: values, inputs: inputIndices, outputs: outputIndices,
      layers: [
        Layer(
          name: step.name,
          operation: .binaryConvolution(geometry, weights: weights, epilogue),
          inputs: inputIndices, outputs: outputIndices)
      ])
  }
}

/// What `bnnbench --kernels` prints without a model.
struct KernelBenchResult: Encodable {
  var schemaVersion = 1
  var threads: Int
  var runs: Int
  var batch: Int
  var kernelTimings: [KernelBench.Measurement]

  var text: String {
    var table = TextTable([
      ("binary convolution", .left), ("result", .left), ("kernels", .left),
      ("product", .left), ("ms", .right),
      ("GMAC/s", .right), ("check", .left),
    ])
    for timing in kernelTimings {
      table.add([
        timing.step, timing.result.rawValue, timing.kernels,
        timing.product + (timing.isChosen ? " *" : ""),
        Formatting.fixed(timing.milliseconds, digits: 4),
        Formatting.fixed(timing.gigaMACsPerSecond, digits: 0), timing.agrees ? "same" : "DIFFERENT",
      ])
    }
    return table.text + "\n* what the runtime chooses for the shape\n"
  }
}
