import BNNTensor

/// Elements at positions along an axis, one index for each: read from the input, or met there by
/// updates, which happen in order.
final class ElementIndexStep: ExecutionStep {
  private let axis: Int
  private let input: Buffer
  private let indices: Buffer
  private let reader: IndexReader
  private let output: Buffer
  private let updates: Updates?
  /// The input's strides.
  private let strides: [Int]

  /// - Parameter reduction: nil to read.
  init(axis: Int, reduction: ScatterReduction?, _ context: LayerContext) {
    self.axis = axis
    (input, indices) = (context.inputs[0], context.inputs[1])
    reader = IndexReader(indices, layer: context.layer.name)
    output = context.outputs[0]
    updates = reduction.map {
      Updates($0, source: context.inputs[2], target: context.outputs[0])
    }
    strides = input.shape.strides
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) throws(RuntimeError) {
    try reader.check(extents: [input.shape[axis]], execution)
    if let updates {
      input.copyAll(to: output, execution)
      for at in 0..<indices.count {
        updates.apply(at..<at + 1, at: place(of: at, execution), execution)
      }
      return
    }
    execution.pool.run(indices.count, grain: 4096) { range, _ in
      for at in range { input.copy(1, at: place(of: at, execution), to: output, at: at, execution) }
    }
  }

  /// Where in the input the index with a number points.
  private func place(of at: Int, _ execution: Execution) -> Int {
    var rest = at
    var place = reader.position(at, extent: input.shape[axis], execution) * strides[axis]
    for other in strides.indices.reversed() {
      let (quotient, position) = rest.quotientAndRemainder(dividingBy: indices.shape[other])
      if other != axis { place += position * strides[other] }
      rest = quotient
    }
    return place
  }
}

/// Slices at places that the last axis of the indices names: read from the input, or met there by
/// updates, which happen in order.
final class PlaceIndexStep: ExecutionStep {
  private let batchDimensions: Int
  private let input: Buffer
  private let reader: IndexReader
  private let output: Buffer
  private let updates: Updates?
  private let depth: Int
  /// Elements of a slice, and how many slices there are.
  private let length: Int
  private let count: Int
  /// Slices per entry of the shared axes, and the input's elements per entry.
  private let slicesOfEntry: Int
  private let elementsOfEntry: Int
  private let extents: [Int]
  private let strides: [Int]

  /// - Parameter reduction: nil to read.
  init(batchDimensions: Int, reduction: ScatterReduction?, _ context: LayerContext) {
    self.batchDimensions = batchDimensions
    input = context.inputs[0]
    let indices = context.inputs[1]
    reader = IndexReader(indices, layer: context.layer.name)
    output = context.outputs[0]
    updates = reduction.map {
      Updates($0, source: context.inputs[2], target: context.outputs[0])
    }
    let (depth, shape) = (indices.channels, input.shape.dimensions)
    self.depth = depth
    length = shape.dropFirst(batchDimensions + depth).reduce(1, *)
    count = indices.rows
    slicesOfEntry = indices.shape.dimensions.dropFirst(batchDimensions).dropLast().reduce(1, *)
    elementsOfEntry = shape.dropFirst(batchDimensions).reduce(1, *)
    extents = Array(shape.dropFirst(batchDimensions).prefix(depth))
    strides = Array(input.shape.strides.dropFirst(batchDimensions).prefix(depth))
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) throws(RuntimeError) {
    if depth > 0 { try reader.check(extents: extents, execution) }
    if let updates {
      input.copyAll(to: output, execution)
      for slice in 0..<count where length > 0 {
        updates.apply(
          slice * length..<(slice + 1) * length, at: place(of: slice, execution), execution)
      }
      return
    }
    guard length > 0 else { return }
    execution.pool.run(count, grain: max(1, 4096 / length)) { slices, _ in
      for slice in slices {
        input.copy(
          length, at: place(of: slice, execution), to: output, at: slice * length, execution)
      }
    }
  }

  private func place(of slice: Int, _ execution: Execution) -> Int {
    var place = slice / slicesOfEntry * elementsOfEntry
    for axis in 0..<depth {
      place +=
        reader.position(slice * depth + axis, extent: extents[axis], execution) * strides[axis]
    }
    return place
  }
}

/// Updates of elements of an output.
private struct Updates {
  private let reduction: ScatterReduction
  private let source: Buffer
  private let target: Buffer

  init(_ reduction: ScatterReduction, source: Buffer, target: Buffer) {
    self.reduction = reduction
    self.source = source
    self.target = target
  }

  /// Updates with neighbouring numbers meet neighbouring elements.
  func apply(_ range: Range<Int>, at place: Int, _ execution: Execution) {
    guard reduction != .none else {
      return source.copy(range.count, at: range.lowerBound, to: target, at: place, execution)
    }
    switch target.type {
    case .int32: combine(Int32.self, range, place, execution, integer)
    case .int64: combine(Int64.self, range, place, execution, integer)
    default: combine(Float.self, range, place, execution, float)
    }
  }

  private func combine<T: BitwiseCopyable>(
    _ type: T.Type, _ range: Range<Int>, _ place: Int, _ execution: Execution, _ body: (T, T) -> T
  ) {
    let (x, y) = (source.elements(type, execution), target.elements(type, execution) + place)
    for (offset, update) in range.enumerated() { y[offset] = body(y[offset], x[update]) }
  }

  private func float(_ a: Float, _ b: Float) -> Float {
    switch reduction {
    case .none: b
    case .add: a + b
    case .multiply: a * b
    case .maximum: propagatingMaximum(a, b)
    case .minimum: propagatingMinimum(a, b)
    }
  }

  private func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
    switch reduction {
    case .none: b
    case .add: a &+ b
    case .multiply: a &* b
    case .maximum: max(a, b)
    case .minimum: min(a, b)
    }
  }
}

extension Buffer {
  /// Copies neighbouring elements, not of bits, to another value of the type.
  func copy(
    _ count: Int, at source: Int, to target: Buffer, at place: Int, _ execution: Execution
  ) {
    let bytes = elementBytes ?? 0
    (execution.arena + target.offset + place * bytes)
      .copyMemory(from: execution.arena + offset + source * bytes, byteCount: count * bytes)
  }

  func copyAll(to target: Buffer, _ execution: Execution) {
    copy(count, at: 0, to: target, at: 0, execution)
  }
}
