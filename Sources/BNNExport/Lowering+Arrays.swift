import BNNFormat
import BNNGraph
import BNNTensor

/// Operators that become operations on arrays.
extension Lowering {
  mutating func lowerArray(_ node: Node, index: Int) throws(ExportError.Reason) {
    switch node.op {
    case .elementwiseBinary(let binary):
      try elementwise(.arithmetic(binary.kind), node, index: index)
    case .comparison(let comparison):
      try elementwise(.comparison(comparison.kind), node, index: index)
    case .logical(let logical): try elementwise(.logical(logical.kind), node, index: index)
    case .select: try elementwise(.select, node, index: index)
    case .cast(let cast): try lower(cast, node, index: index)
    case .slice: try slice(node, index: index)
    case .split(let split): try lower(split, node, index: index)
    case .pad(let pad): try lower(pad, node, index: index)
    case .gather(let gather): try lower(gather, node, index: index)
    case .expand:
      let input = try plain(node.required(0))
      try add(.expand, of: node, index: index, inputs: [input])
    case .matMul:
      let inputs = [try plain(node.required(0)), try plain(node.required(1))]
      try add(.matrixProduct, of: node, index: index, inputs: inputs)
    case .transposedConvolution(let convolution):
      try lower(convolution, node, index: index)
    case .argumentExtremum(let extremum): try lower(extremum, node, index: index)
    case .bitwise(let bitwise): try elementwise(.bitwise(bitwise.kind), node, index: index)
    default: try lowerIndexed(node, index: index)
    }
  }

  // MARK: Values

  /// A value in the source's own order of axes, not as bits.
  mutating func plain(_ id: ValueID) throws(ExportError.Reason) -> Int {
    try require(id, bits: false, layout: Array(try dimensions(of: id).indices))
  }

  /// Adds a layer whose one result has the source's order of axes.
  mutating func add(
    _ operation: ArrayOperation, of node: Node, index: Int, inputs: [Int]
  ) throws(ExportError.Reason) {
    let output = node.outputs[0]
    try addLayer(
      .array(operation), of: index, inputs: inputs,
      results: [(output, try elementType(of: output))],
      layout: Array(try dimensions(of: output).indices))
  }

  /// A value in whatever form it is: as bits where it is there as bits.
  private mutating func anyForm(_ id: ValueID) throws(ExportError.Reason) -> Form {
    let forms = try forms(of: id)
    return forms.first(where: \.isBits) ?? forms[0]
  }

  private func type(of form: Form, _ id: ValueID) throws(ExportError.Reason) -> ElementType {
    form.isBits ? .sign : try elementType(of: id)
  }

  // MARK: Elements

  private mutating func elementwise(
    _ function: ElementwiseFunction, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let output = node.outputs[0]
    let operands = node.inputs.compactMap { $0 }
    let layout = try commonLayout(operands, like: output)
    var inputs: [Int] = []
    for operand in operands {
      _ = try elementType(of: operand)
      inputs.append(try broadcastOperand(operand, layout: layout))
    }
    try addLayer(
      .array(.elementwise(function)), of: index, inputs: inputs,
      results: [(output, try elementType(of: output))], layout: layout)
  }

  /// Inputs of types that files do not have are read as float32, so that a cast to it does nothing.
  private mutating func lower(
    _ cast: Cast, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let type = try elementType(of: node.outputs[0])
    if let form = convertedInput(x), type == .float32 {
      return addForm(form, of: node.outputs[0])
    }
    let form = try requireReals(x)
    try addLayer(
      .array(.cast(type)), of: index, inputs: [form.modelValue],
      results: [(node.outputs[0], type)], layout: form.layout)
  }

  // MARK: Places

  private mutating func slice(_ node: Node, index: Int) throws(ExportError.Reason) {
    let x = try node.required(0)
    let logical = try dimensions(of: x)
    let lists = try (1...4).map { input throws(ExportError.Reason) in
      try node.input(input) == nil ? nil : integers(node, input)
    }
    let starts = lists[0] ?? []
    let axes = lists[2] ?? Array(starts.indices)
    var first = [Int](repeating: 0, count: logical.count)
    var steps = [Int](repeating: 1, count: logical.count)
    for (position, axis) in axes.enumerated() {
      let axis = axis < 0 ? axis + logical.count : axis
      // All of the batch, or nothing but the batch's own order, may be taken.
      if try dimensions(of: node.outputs[0])[axis] == logical[axis], lists[3]?[position] ?? 1 == 1 {
        continue
      }
      guard case .fixed(let extent) = logical[axis] else { throw .acrossBatch(axis: axis) }
      steps[axis] = lists[3]?[position] ?? 1
      let start = starts[position] < 0 ? starts[position] &+ extent : starts[position]
      first[axis] = max(0, min(start, steps[axis] > 0 ? extent : extent - 1))
      // A step that leaves the operand at once: whatever its length is.
      if steps[axis].magnitude > extent { steps[axis] = steps[axis] > 0 ? extent + 1 : -extent - 1 }
    }
    try addSlice(of: x, as: node.outputs[0], index: index, starts: first, steps: steps)
  }

  private mutating func addSlice(
    of x: ValueID, as output: ValueID, index: Int, starts: [Int], steps: [Int]
  ) throws(ExportError.Reason) {
    let form = try anyForm(x)
    let operation = ArrayOperation.slice(
      starts: form.layout.map { starts[$0] }, steps: form.layout.map { steps[$0] })
    try addLayer(
      .array(operation), of: index, inputs: [form.modelValue],
      results: [(output, try type(of: form, x))], layout: form.layout)
  }

  private mutating func lower(
    _ split: Split, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let logical = try dimensions(of: x)
    let axis = split.axis < 0 ? split.axis + logical.count : split.axis
    var starts = [Int](repeating: 0, count: logical.count)
    for output in node.outputs {
      guard case .fixed(let length) = try dimensions(of: output)[axis] else {
        throw .acrossBatch(axis: axis)
      }
      if isLive(output) {
        try addSlice(
          of: x, as: output, index: index, starts: starts, steps: logical.map { _ in 1 })
      }
      starts[axis] += length
    }
  }

  private mutating func lower(
    _ pad: Pad, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let logical = try dimensions(of: x)
    let amounts = try integers(node, 1)
    let axes = try node.input(3) == nil ? Array(logical.indices) : integers(node, 3)
    var begin = [Int](repeating: 0, count: logical.count)
    var end = begin
    for (position, axis) in axes.enumerated() {
      let axis = axis < 0 ? axis + logical.count : axis
      (begin[axis], end[axis]) = (amounts[position], amounts[position + axes.count])
      if logical[axis].isBatch, begin[axis] != 0 || end[axis] != 0 {
        throw .acrossBatch(axis: axis)
      }
    }
    let form = try requireReals(x)
    var inputs = [form.modelValue]
    if pad.mode == .constant { inputs.append(try plain(node.required(2))) }
    let operation = ArrayOperation.pad(
      pad.mode, begin: form.layout.map { begin[$0] }, end: form.layout.map { end[$0] })
    try addLayer(
      .array(operation), of: index, inputs: inputs,
      results: [(node.outputs[0], try elementType(of: x))], layout: form.layout)
  }

  private mutating func lower(
    _ gather: Gather, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let (x, list) = (try node.required(0), try node.required(1))
    let listType = try elementType(of: list)
    guard listType == .int32 || listType == .int64 else {
      throw .unknownType(value: graph[list].name)
    }
    let indices = try plain(list)
    let identity = Array(try dimensions(of: x).indices)
    // A list of positions keeps the axes: any layout will do.
    let keepsAxes = try dimensions(of: list).count == 1
    var form = try anyForm(x)
    if !keepsAxes {
      form = Form(
        isBits: false, layout: identity, modelValue: try require(x, bits: false, layout: identity))
    }
    let layout = keepsAxes ? form.layout : Array(try dimensions(of: node.outputs[0]).indices)
    try addLayer(
      .array(.gather(axis: try fixedAxis(gather.axis, of: x, form.layout))), of: index,
      inputs: [form.modelValue, indices], results: [(node.outputs[0], try type(of: form, x))],
      layout: layout)
  }

  // MARK: Sums

  /// Constant weights belong to the layer, which then works on channels-last values; others are
  /// an operand.
  mutating func lower(
    _ convolution: Convolution, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    guard node.input(2) == nil else { throw .unsupportedForm("a bias that is no layer") }
    if graph[try node.required(1)].constant != nil {
      let block = Block(core: .convolution(convolution.geometry), epilogue: Epilogue())
      return try lower(block, node, index: index)
    }
    let inputs = [try plain(node.required(0)), try plain(node.required(1))]
    try add(.convolution(convolution.geometry), of: node, index: index, inputs: inputs)
  }

  private mutating func lower(
    _ convolution: TransposedConvolution, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    guard node.input(2) == nil else { throw .unsupportedForm("a bias that is no layer") }
    let inputs = [try plain(node.required(0)), try plain(node.required(1))]
    let rank = convolution.geometry.window.spatialRank
    let padding =
      convolution.outputPadding.isEmpty
      ? [Int](repeating: 0, count: rank) : convolution.outputPadding
    try add(
      .transposedConvolution(convolution.geometry, outputPadding: padding), of: node, index: index,
      inputs: inputs)
  }

  private mutating func lower(
    _ extremum: ArgumentExtremum, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let rank = try dimensions(of: x).count
    let form = try requireReals(x)
    let axis = extremum.axis < 0 ? extremum.axis + rank : extremum.axis
    let operation = ArrayOperation.argumentExtremum(
      isMaximum: extremum.isMaximum, axis: try fixedAxis(axis, of: x, form.layout),
      keepDimensions: extremum.keepDimensions, selectsLast: extremum.selectsLast)
    try addLayer(
      .array(operation), of: index, inputs: [form.modelValue], results: [(node.outputs[0], .int64)],
      layout: form.layout.reduced([axis], keepDimensions: extremum.keepDimensions))
  }

  // MARK: Constants

  func integers(_ node: Node, _ input: Int) throws(ExportError.Reason) -> [Int] {
    guard let constant = graph[try node.required(input)].constant else {
      throw .constantExpected(input: input)
    }
    return constant.integers.map { Int($0) }
  }
}
