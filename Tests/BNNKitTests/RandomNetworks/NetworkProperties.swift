import BNNKit
import BNNTestSupport

/// What does not hold of a network.
struct BrokenProperty: Error, CustomStringConvertible {
  enum Property: String {
    case building, conversion, resolved, canonical, runtime, coding, determinism, idempotence
    case binaryLayers, verification, int8, lossy
  }

  var property: Property
  var detail: String

  var description: String { "\(property): \(detail)" }
}

/// Checks all that must hold of the conversion of one network.
struct NetworkProperties {
  let spec: NetworkSpec
  private let builder: NetworkBuilder
  /// The network with every zero's sign written out: what a conversion must compute.
  private let meant: Graph
  private let source: SourceModel

  init(_ spec: NetworkSpec) {
    self.spec = spec
    builder = NetworkBuilder(spec, resolvesZeros: false)
    meant = NetworkBuilder(spec, resolvesZeros: true).graph
    source = SourceModel(
      graph: builder.graph, fileName: "seed \(spec.seed)", byteCount: 0, format: .onnx)
  }

  /// The first property that is broken; nil when all hold.
  static func broken(by spec: NetworkSpec) -> BrokenProperty? {
    do {
      try NetworkProperties(spec).check()
      return nil
    } catch let error as BrokenProperty {
      return error
    } catch {
      return BrokenProperty(property: .conversion, detail: "\(error)")
    }
  }

  private func check() throws {
    guard builder.isExact else { throw broken(.building, "the numbers are not exact") }
    let converter = try Converter(options: ConversionOptions(allowsFloat: true))
    let conversion = try converter.convert(source)
    for batch in batches { try checkResults(converter, conversion, batch: batch) }
    try checkLayers(conversion.model)
    try checkCoding(conversion.model)
    try checkDeterminism(converter, conversion)
    try checkIdempotence(converter, conversion)
    try checkVerification(converter, conversion)
    if spec.seed % 8 == 4 { try checkInt8() }
    if spec.seed % 8 == 2 { try checkLossy(conversion.canonical.nodes.last?.layerName ?? "") }
  }

  private func broken(_ property: BrokenProperty.Property, _ detail: String) -> BrokenProperty {
    BrokenProperty(property: property, detail: detail)
  }

  private var batches: [Int] {
    switch spec.batch {
    case .open: [1, 3]
    case .one: [1]
    case .three: [3]
    }
  }

  // MARK: Files

  private func checkCoding(_ model: BinaryModel) throws {
    let bytes = try model.encoded()
    let decoded = try BinaryModel(decoding: bytes)
    guard decoded == model else { throw broken(.coding, "another model comes out of its bytes") }
    guard try decoded.encoded() == bytes else { throw broken(.coding, "other bytes") }
  }

  private func checkDeterminism(_ converter: Converter, _ conversion: Conversion) throws {
    let again = try converter.convert(source)
    guard try again.model.encoded() == conversion.model.encoded() else {
      throw broken(.determinism, "a second conversion differs")
    }
  }

  /// The passes find nothing more to do in what they have left: the same layers in the same order.
  /// What only moves elements may find a better place.
  private func checkIdempotence(_ converter: Converter, _ conversion: Conversion) throws {
    var canonical = source
    canonical.graph = conversion.canonical
    let repeated = try converter.convert(canonical)
    let onlyProducts = spec.layers.contains(where: \.movesAxes)
    let before = conversion.model.operations(onlyProducts: onlyProducts)
    let after = repeated.model.operations(onlyProducts: onlyProducts)
    guard before == after else {
      let changes = after.difference(from: before)
      throw broken(
        .idempotence, "layers \(changes.removals) become \(changes.insertions)")
    }
    let input = input(batch: batches[0])
    try compare(
      results(repeated.canonical, input), results(conversion.canonical, input), .idempotence, "")
  }

  /// What is binary by construction is binary.
  private func checkLayers(_ model: BinaryModel) throws {
    let real = model.layers.filter(\.operation.isRealProduct)
    guard real.count <= builder.realProducts else {
      throw broken(
        .binaryLayers, "\(real.map(\.name)) are real-valued, expected \(builder.realProducts)")
    }
    guard builder.binaryProducts == 0 || model.layers.contains(where: \.operation.isSignsProduct)
    else { throw broken(.binaryLayers, "no layer is binary") }
  }

  // MARK: Results

  private func input(batch: Int) -> Tensor {
    var generator = SeededGenerator(seed: spec.seed ^ UInt64(batch))
    let dimensions = builder.graph[builder.graph.inputs[0]].type?.dimensions ?? []
    let shape = dimensions.shape(batch: batch)
    return Tensor(
      (0..<shape.count).map { _ in Float(generator.nextIndex(17)) / 2 - 4 }, shape: shape)
  }

  private func results(_ graph: Graph, _ input: Tensor) throws -> [Tensor] {
    let results = try ReferenceExecutor(graph).run(["x": input])
    return graph.outputs.compactMap { results[$0] }
  }

  private func checkResults(
    _ converter: Converter, _ conversion: Conversion, batch: Int
  ) throws {
    let input = input(batch: batch)
    var typed = meant
    try typed.inferTypes()
    let expected = try results(typed, input)
    let resolved = try results(converter.resolveSigns(of: source), input)
    try compare(resolved, expected, .resolved, "batch \(batch)")
    try compare(results(conversion.canonical, input), expected, .canonical, "batch \(batch)")
    for (threads, kernels) in [(1, KernelChoice.scalar), (1, .best), (3, .best)] {
      let session = try InferenceSession(conversion.model, threads: threads, kernels: kernels)
      let found = try session.run(["x": input]).map(\.tensor)
      let text = "batch \(batch), \(threads) threads, \(kernels) kernels"
      try compare(found, expected, .runtime, text)
    }
  }

  private func compare(
    _ found: [Tensor], _ expected: [Tensor], _ property: BrokenProperty.Property, _ text: String
  ) throws {
    guard found.count == expected.count else {
      throw broken(property, "\(text): \(found.count) outputs, expected \(expected.count)")
    }
    for (index, (a, b)) in zip(found, expected).enumerated() {
      guard a.shape == b.shape else {
        throw broken(property, "\(text): output \(index) is \(a.shape), expected \(b.shape)")
      }
      let (x, y) = (a.floats, b.floats)
      let places = x.indices.filter { x[$0] != y[$0] }
      guard let first = places.first else { continue }
      throw broken(
        property,
        "\(text): output \(index) differs at \(places.count) of \(x.count) places, at \(first): "
          + "\(x[first]), expected \(y[first])")
    }
  }

  /// Layers in integers are what the file says, with all kernels.
  private func checkInt8() throws {
    let input = ["x": input(batch: batches[0])]
    let converter = try Converter(
      options: .init(allowsFloat: true, storage: .init(weights: .int8Compute), calibration: input))
    let conversion = try converter.convert(source)
    try checkCoding(conversion.model)
    let verifier = Verifier(
      source: try converter.resolveSigns(of: source), canonical: conversion.canonical,
      model: conversion.model)
    let report = try verifier.verify(inputs: input)
    guard report.verdict == .match else { throw broken(.int8, "\(report)") }
    let check = try SelfCheck(conversion.model).run()
    guard check.verdict == .match else { throw broken(.int8, "\(check)") }
  }

  /// What lossy choices leave is what the file holds, and can be made again from what it records.
  private func checkLossy(_ exactLayer: String) throws {
    let input = ["x": input(batch: batches[0])]
    let storages: [FloatStorage] = [.float16, .bfloat16, .int8, .float32]
    let storage = StorageOptions(
      weights: storages[Int(spec.seed / 8 % 4)], vectors: .float16,
      kernels: .most(1 + Int(spec.seed / 32 % 16)),
      layers: [.init(selection: .named(exactLayer), weights: .float32, kernels: .all)])
    let converter = try Converter(
      options: .init(
        allowsFloat: true, storage: storage, calibration: spec.seed % 16 == 2 ? input : [:]))
    let conversion = try converter.convert(source)
    try checkCoding(conversion.model)
    let verifier = Verifier(
      source: try converter.resolveSigns(of: source), canonical: conversion.canonical,
      exact: conversion.exact, model: conversion.model)
    let report = try verifier.verify(inputs: input)
    guard report.verdict == .match else { throw broken(.lossy, "\(report)") }
    var again = try Converter(reproducing: conversion.model.provenance)
    again.options.calibration = converter.options.calibration
    guard try again.convert(source).canonical == conversion.canonical else {
      throw broken(.lossy, "the file's choices give another graph")
    }
  }

  private func checkVerification(_ converter: Converter, _ conversion: Conversion) throws {
    let verifier = Verifier(
      source: try converter.resolveSigns(of: source), canonical: conversion.canonical,
      model: conversion.model)
    let report = try verifier.verify(inputs: ["x": input(batch: batches[0])])
    guard report.verdict == .match else { throw broken(.verification, "\(report.verdict)") }
  }
}

extension LayerSpec {
  /// Whether the layer moves axes around between products.
  fileprivate var movesAxes: Bool {
    switch block {
    case .rowsOfProducts, .shuffledBefore, .shuffledAfter: true
    default: false
    }
  }
}

extension BinaryModel {
  /// The layers in words: all, or the names of those that sum up products.
  fileprivate func operations(onlyProducts: Bool) -> [String] {
    layers.compactMap { layer in
      guard onlyProducts else { return "\(layer.name): \(layer.operation)" }
      let isProduct = layer.operation.isRealProduct || layer.operation.isSignsProduct
      return isProduct ? layer.name : nil
    }
  }
}

extension BNNFormat.Operation {
  /// Whether the layer multiplies real values with weights or with each other, and sums up.
  fileprivate var isRealProduct: Bool {
    switch self {
    case .convolution, .quantizedConvolution, .array(.matrixProduct), .array(.convolution),
      .array(.transposedConvolution):
      true
    default: false
    }
  }

  fileprivate var isSignsProduct: Bool {
    if case .binaryConvolution = self { true } else { false }
  }
}
