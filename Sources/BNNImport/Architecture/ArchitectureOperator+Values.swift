import BNNGraph
import BNNTensor

extension ArchitectureOperator {
  /// Arrays and numbers, and arithmetic on values: what a layer computes its weights with.
  static let values: [String: ArchitectureOperator] = [
    "parameter": ArchitectureOperator(0...0) { (step) throws(ImportFault) in
      try parameter(step)
    },
    "constant": ArchitectureOperator(0...0) { (step) throws(ImportFault) in try constant(step) },
    "add": arithmetic(.add),
    "subtract": arithmetic(.subtract),
    "multiply": arithmetic(.multiply),
    "divide": arithmetic(.divide),
    "power": arithmetic(.power),
    "maximum": arithmetic(.maximum),
    "minimum": arithmetic(.minimum),
    "less": comparison(.less),
    "less_or_equal": comparison(.lessOrEqual),
    "greater": comparison(.greater),
    "greater_or_equal": comparison(.greaterOrEqual),
    "where": ArchitectureOperator(3...3) { (step) throws(ImportFault) in
      try step.apply(.select(Where()), step.operands)
    },
    "to_float": ArchitectureOperator { (step) throws(ImportFault) in
      try step.apply(.cast(Cast(to: .float32)), step.operands)
    },
    "matmul": ArchitectureOperator(2...2) { (step) throws(ImportFault) in
      try step.apply(.matMul(MatMul()), step.operands)
    },
    "arg_max": argumentExtremum(isMaximum: true),
    "arg_min": argumentExtremum(isMaximum: false),
    "gather": ArchitectureOperator(2...2) { (step) throws(ImportFault) in
      let axis = try step.reader.integer("axis", in: -1024...1024) ?? 0
      return try step.apply(.gather(Gather(axis: axis)), step.operands)
    },
    "mean": reduction(.mean),
    "sum": reduction(.sum),
    "max": reduction(.maximum),
  ]

  /// An array of the checkpoint, under another shape if one is given. Packed bits become ±1.
  private static func parameter(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let shape = try step.reader.integers("shape", in: 0...StepBuilder.limit)
    guard try step.reader.bool("packed_bits") ?? false else {
      return try step.parameter("array", shapes: shape.map { [$0] })
    }
    let extents = try step.reader.required("shape", shape)
    guard let first = extents.first, let count = Shape(extents).checkedCount, count > 0 else {
      throw step.reader.fault(.invalidShape(extents.map { Int64($0) }), key: "shape")
    }
    let rowBits = count / first
    let rowBytes = (rowBits + 7) / 8
    let stored = try step.parameter("array", shapes: [[first, rowBytes]])
    let bytes = step.builder.tensor(stored)?.floats ?? []
    guard let wrong = bytes.first(where: { UInt8(exactly: $0) == nil }) else {
      let signs = (0..<count).map { index -> Float in
        let (row, bit) = (index / rowBits, index % rowBits)
        return UInt8(bytes[row * rowBytes + bit / 8]) >> (bit % 8) & 1 == 1 ? 1 : -1
      }
      return step.builder.constant(
        Tensor(signs, shape: Shape(extents)), name: step.builder.graph[stored].name)
    }
    throw step.reader.fault(.elementOutOfRange("\(wrong)"), key: "array")
  }

  /// A number, or several in a shape.
  private static func constant(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let values = try step.reader.required("value", try step.reader.floats("value"))
    let shape = try step.reader.integers("shape", in: 0...StepBuilder.limit)
    guard let shape = Shape(shape ?? (values.count == 1 ? [] : [values.count])).ifHolding(values)
    else {
      throw step.reader.fault(
        .wrongElementCount(found: values.count, expected: shape?.reduce(1, &*) ?? 1), key: "value")
    }
    return step.builder.constant(
      Tensor(values, shape: shape), name: "\(step.reader.place.path)/value")
  }

  /// Two values, or one value and a number (`value`) or a parameter with one number per channel.
  private static func second(_ step: StepBuilder) throws(ImportFault) -> [ValueID] {
    guard step.operands.count == 1 else { return step.operands }
    if let value = try step.reader.float("value") {
      return step.operands + [step.scalar(value, "value")]
    }
    return step.operands + [try step.channelParameter("parameter")]
  }

  private static func arithmetic(_ kind: BinaryFunction) -> ArchitectureOperator {
    ArchitectureOperator(1...2) { (step) throws(ImportFault) in
      try step.apply(.elementwiseBinary(ElementwiseBinary(kind: kind)), try second(step))
    }
  }

  private static func comparison(_ kind: ComparisonFunction) -> ArchitectureOperator {
    ArchitectureOperator(1...2) { (step) throws(ImportFault) in
      try step.apply(.comparison(Comparison(kind: kind)), try second(step))
    }
  }

  private static func argumentExtremum(isMaximum: Bool) -> ArchitectureOperator {
    ArchitectureOperator { (step) throws(ImportFault) in
      let axis = try step.reader.required(
        "axis", try step.reader.integer("axis", in: -1024...1024))
      return try step.apply(
        .argumentExtremum(
          ArgumentExtremum(isMaximum: isMaximum, axis: axis, keepDimensions: false)),
        step.operands)
    }
  }

  private static func reduction(_ kind: ReduceFunction) -> ArchitectureOperator {
    ArchitectureOperator { (step) throws(ImportFault) in
      let axes = try step.reader.required(
        "axes", try step.reader.integers("axes", in: -1024...1024))
      let keeps = try step.reader.bool("keep_axes") ?? false
      return try step.apply(
        .reduce(Reduce(kind: kind, keepDimensions: keeps)),
        step.operands + [step.integers(axes, "axes")])
    }
  }
}

extension Shape {
  /// The shape, if it has as many elements as there are values.
  fileprivate func ifHolding(_ values: [Float]) -> Shape? {
    checkedCount == values.count ? self : nil
  }
}
