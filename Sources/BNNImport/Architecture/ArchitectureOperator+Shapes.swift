import BNNGraph
import BNNTensor

extension ArchitectureOperator {
  static let shapes: [String: ArchitectureOperator] = [
    "flatten": ArchitectureOperator { (step) throws(ImportFault) in
      try step.apply(.flatten(Flatten()), step.operands)
    },
    "reshape": ArchitectureOperator { (step) throws(ImportFault) in
      let shape = try step.reader.required(
        "shape", try step.reader.integers("shape", in: -1...StepBuilder.limit))
      return try step.apply(
        .reshape(Reshape()), step.operands + [step.integers(shape, "shape")])
    },
    "transpose": ArchitectureOperator { (step) throws(ImportFault) in
      let axes = try step.reader.required(
        "axes", try step.reader.integers("axes", in: 0...StepBuilder.limit))
      return try step.apply(.transpose(Transpose(permutation: axes)), step.operands)
    },
    "concat": ArchitectureOperator(1...1024) { (step) throws(ImportFault) in
      let axis = try step.reader.integer("axis", in: -1024...1024) ?? 1
      return try step.apply(.concat(Concat(axis: axis)), step.operands)
    },
    "tile": ArchitectureOperator { (step) throws(ImportFault) in
      let repeats = try step.reader.required(
        "repeats", try step.reader.integers("repeats", in: 0...StepBuilder.limit))
      return try step.apply(.tile(Tile()), step.operands + [step.integers(repeats, "repeats")])
    },
    "slice": ArchitectureOperator { (step) throws(ImportFault) in
      let axis = try step.reader.integer("axis", in: -1024...1024) ?? 1
      let bounds = -StepBuilder.limit...StepBuilder.limit
      let start = try step.reader.integer("start", in: bounds) ?? 0
      let end = try step.reader.integer("end", in: bounds) ?? StepBuilder.limit
      let stride = try step.reader.integer("stride", in: 1...StepBuilder.limit) ?? 1
      return try step.apply(
        .slice(Slice()),
        step.operands + [
          step.integers([start], "start"), step.integers([end], "end"),
          step.integers([axis], "axis"), step.integers([stride], "stride"),
        ])
    },
    "pad": ArchitectureOperator { (step) throws(ImportFault) in
      let rank = max(0, step.shape(step.operands[0]).rank - 2)
      let window = try step.window(kernel: [Int](repeating: 1, count: rank))
      let value = try step.reader.float("value") ?? 0
      let pads = [0, 0] + window.padsBegin + [0, 0] + window.padsEnd
      return try step.apply(
        .pad(Pad()), step.operands + [step.integers(pads, "pads"), step.scalar(value, "value")])
    },
    "channel_shuffle": ArchitectureOperator { (step) throws(ImportFault) in
      try channelShuffle(step)
    },
  ]

  /// Channels [groups, C/groups] become [C/groups, groups], as ShuffleNet does it.
  private static func channelShuffle(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let groups = try step.reader.required(
      "groups", try step.reader.integer("groups", in: 1...StepBuilder.limit))
    let shape = step.shape(step.operands[0]).dimensions
    guard shape.count >= 2, shape[1] % groups == 0 else {
      throw step.reader.fault(
        .invalidValue(found: "\(groups)", expected: "a divisor of the channels"), key: "groups")
    }
    let spatial = Array(shape.dropFirst(2))
    let split = [0, groups, shape[1] / groups] + spatial
    let order = [0, 2, 1] + spatial.indices.map { $0 + 3 }
    let parts = try step.apply(
      .reshape(Reshape()), step.operands + [step.integers(split, "split")])
    let turned = try step.apply(.transpose(Transpose(permutation: order)), [parts])
    return try step.apply(
      .reshape(Reshape()), [turned, step.integers([0, shape[1]] + spatial, "joined")])
  }
}
