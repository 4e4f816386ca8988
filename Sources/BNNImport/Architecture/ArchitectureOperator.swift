import BNNGraph
import BNNTensor

/// One of the operators that a step of a description can name.
struct ArchitectureOperator: Sendable {
  typealias Build = @Sendable (StepBuilder) throws(ImportFault) -> ValueID

  var operands: ClosedRange<Int>
  var build: Build

  init(_ operands: ClosedRange<Int> = 1...1, _ build: @escaping Build) {
    self.operands = operands
    self.build = build
  }

  static let all: [String: ArchitectureOperator] = [layers, values, activations, shapes]
    .reduce(into: [:]) { all, family in all.merge(family) { first, _ in first } }

  // MARK: Layers

  private static let layers: [String: ArchitectureOperator] = [
    "conv": ArchitectureOperator(1...2) { (step) throws(ImportFault) in try convolution(step) },
    "dense": ArchitectureOperator(1...2) { (step) throws(ImportFault) in try dense(step) },
    "batch_norm": ArchitectureOperator { (step) throws(ImportFault) in
      try batchNormalization(step)
    },
    "max_pool": ArchitectureOperator { (step) throws(ImportFault) in
      try pool(step, .maximum)
    },
    "average_pool": ArchitectureOperator { (step) throws(ImportFault) in
      let countsPadding = try step.reader.bool("count_padding") ?? true
      return try pool(step, .average(countPadding: countsPadding))
    },
    "global_average_pool": ArchitectureOperator { (step) throws(ImportFault) in
      let pool = Pool(
        kind: .average(countPadding: false), window: WindowGeometry(kernel: []), isGlobal: true)
      return try step.apply(.pool(pool), step.operands)
    },
  ]

  private static func convolution(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let groups = try step.reader.integer("groups", in: 1...StepBuilder.limit) ?? 1
    let rank = max(0, step.shape(step.operands[0]).rank - 2)
    let channels = try step.reader.integer("channels", in: 1...StepBuilder.limit)
    let declared = try step.perAxis("kernel", rank: rank)
    var shape: [Int]?
    if let channels, let declared { shape = [channels, step.channels / groups] + declared }
    let (weights, name) = try step.weights(shape: shape)
    let kernel = Array(step.shape(weights).dimensions.dropFirst(2))
    let window = try step.window(kernel: kernel)
    let outputs = step.shape(weights).dimensions.first ?? 0
    let bias = try step.optionalParameter("bias", shapes: [[outputs]])
    let geometry = ConvolutionGeometry(window: window, groups: groups)
    return try step.apply(
      .convolution(Convolution(geometry: geometry)),
      [step.operands[0], weights] + (bias.map { [$0] } ?? []), name: name)
  }

  private static func dense(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let channels = try step.reader.integer("channels", in: 1...StepBuilder.limit)
    let (weights, name) = try step.weights(shape: channels.map { [$0, step.channels] })
    let outputs = step.shape(weights).dimensions.first ?? 0
    let bias = try step.optionalParameter("bias", shapes: [[outputs]])
    return try step.apply(
      .gemm(Gemm(transposeB: true)),
      [step.operands[0], weights] + (bias.map { [$0] } ?? []), name: name)
  }

  private static func batchNormalization(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let key = "parameters"
    let prefixes = try step.reader.required(key, try step.reader.strings(key))
    let shapes = [[step.channels]]
    func parameter(_ part: NormalizationPart) throws(ImportFault) -> ValueID {
      try step.builder.parameter(
        prefixes.flatMap { prefix in part.suffixes.map { prefix + $0 } }, shapes: shapes,
        at: step.reader.place(of: key))
    }
    let (mean, variance) = (try parameter(.mean), try parameter(.variance))
    let stored = step.builder.graph[mean].name
    let suffix = NormalizationPart.mean.suffixes.first { stored.hasSuffix($0) } ?? ""
    let name = String(stored.dropLast(suffix.count))
    var (scale, bias) = (mean, mean)
    if try step.reader.bool("affine") ?? true {
      (scale, bias) = (try parameter(.scale), try parameter(.offset))
    } else {
      let shape = step.shape(mean)
      let ones = Tensor([Float](repeating: 1, count: shape.count), shape: shape)
      let zeros = Tensor([Float](repeating: 0, count: shape.count), shape: shape)
      scale = step.builder.constant(ones, name: "\(name)/ones")
      bias = step.builder.constant(zeros, name: "\(name)/zeros")
    }
    let epsilon = try step.reader.float("epsilon") ?? 1e-5
    return try step.apply(
      .batchNormalization(BatchNormalization(epsilon: epsilon)),
      [step.operands[0], scale, bias, mean, variance], name: name)
  }

  private static func pool(
    _ step: StepBuilder, _ kind: Pool.Kind
  ) throws(ImportFault) -> ValueID {
    let rank = max(0, step.shape(step.operands[0]).rank - 2)
    let kernel = try step.reader.required("kernel", try step.perAxis("kernel", rank: rank))
    // Pools step by their kernel unless they say otherwise.
    let window = try step.window(kernel: kernel, defaultStride: kernel)
    let ceiling = try step.reader.bool("ceiling") ?? false
    return try step.apply(
      .pool(Pool(kind: kind, window: window, ceiling: ceiling)), step.operands)
  }
}

/// The arrays of a batch normalization, and how their names end in PyTorch and in Keras.
private enum NormalizationPart {
  case scale, offset, mean, variance

  var suffixes: [String] {
    switch self {
    case .scale: [".weight", "/gamma:0", "/gamma"]
    case .offset: [".bias", "/beta:0", "/beta"]
    case .mean: [".running_mean", "/moving_mean:0", "/moving_mean"]
    case .variance: [".running_var", "/moving_variance:0", "/moving_variance"]
    }
  }
}
