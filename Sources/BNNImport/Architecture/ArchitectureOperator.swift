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

  static let all: [String: ArchitectureOperator] = [layers, activations, shapes]
    .reduce(into: [:]) { all, family in all.merge(family) { first, _ in first } }

  // MARK: Layers

  private static let layers: [String: ArchitectureOperator] = [
    "conv": ArchitectureOperator(build: convolution),
    "dense": ArchitectureOperator(build: dense),
    "batch_norm": ArchitectureOperator(build: batchNormalization),
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

  private init(build: @escaping Build) { self.init(1...1, build) }

  private static func convolution(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let (weights, name) = try step.weights()
    let kernel = Array(step.shape(weights).dimensions.dropFirst(2))
    let window = try step.window(kernel: kernel)
    let groups = try step.reader.integer("groups", in: 1...Int(Int32.max)) ?? 1
    let bias = try step.optionalParameter("bias")
    let geometry = ConvolutionGeometry(window: window, groups: groups)
    return try step.apply(
      .convolution(Convolution(geometry: geometry)),
      step.operands + [weights] + (bias.map { [$0] } ?? []), name: name)
  }

  private static func dense(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let (weights, name) = try step.weights()
    let bias = try step.optionalParameter("bias")
    return try step.apply(
      .gemm(Gemm(transposeB: true)), step.operands + [weights] + (bias.map { [$0] } ?? []),
      name: name)
  }

  private static func batchNormalization(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let key = "parameters"
    let prefix = try step.reader.required(key, try step.reader.string(key))
    let path = step.reader.path(of: key)
    let mean = try step.builder.parameter("\(prefix).running_mean", path: path)
    let variance = try step.builder.parameter("\(prefix).running_var", path: path)
    var (scale, bias) = (mean, mean)
    if try step.reader.bool("affine") ?? true {
      scale = try step.builder.parameter("\(prefix).weight", path: path)
      bias = try step.builder.parameter("\(prefix).bias", path: path)
    } else {
      let shape = step.shape(mean)
      let ones = Tensor([Float](repeating: 1, count: shape.count), shape: shape)
      let zeros = Tensor([Float](repeating: 0, count: shape.count), shape: shape)
      scale = step.builder.constant(ones, name: "\(prefix)/ones")
      bias = step.builder.constant(zeros, name: "\(prefix)/zeros")
    }
    let epsilon = try step.reader.float("epsilon") ?? 1e-5
    return try step.apply(
      .batchNormalization(BatchNormalization(epsilon: epsilon)),
      step.operands + [scale, bias, mean, variance], name: prefix)
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

  // MARK: Shapes

  private static let shapes: [String: ArchitectureOperator] = [
    "flatten": ArchitectureOperator { (step) throws(ImportFault) in
      try step.apply(.flatten(Flatten()), step.operands)
    },
    "reshape": ArchitectureOperator { (step) throws(ImportFault) in
      let shape = try step.reader.required(
        "shape", try step.reader.integers("shape", in: -1...Int(Int32.max)))
      return try step.apply(
        .reshape(Reshape()), step.operands + [step.integers(shape, "shape")])
    },
    "transpose": ArchitectureOperator { (step) throws(ImportFault) in
      let axes = try step.reader.required(
        "axes", try step.reader.integers("axes", in: 0...Int(Int32.max)))
      return try step.apply(.transpose(Transpose(permutation: axes)), step.operands)
    },
    "concat": ArchitectureOperator(1...1024) { (step) throws(ImportFault) in
      let axis = try step.reader.integer("axis", in: -1024...1024) ?? 1
      return try step.apply(.concat(Concat(axis: axis)), step.operands)
    },
    "mean": ArchitectureOperator { (step) throws(ImportFault) in
      let axes = try step.reader.required(
        "axes", try step.reader.integers("axes", in: -1024...1024))
      let keeps = try step.reader.bool("keep_axes") ?? false
      return try step.apply(
        .reduce(Reduce(kind: .mean, keepDimensions: keeps)),
        step.operands + [step.integers(axes, "axes")])
    },
  ]
}
