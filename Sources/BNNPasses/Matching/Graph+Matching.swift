import BNNGraph
import BNNTensor

extension Graph {
  /// The constant that a value is, if it is one.
  func constant(_ value: ValueID?) -> Tensor? { value.flatMap { self[$0].constant } }

  /// The one element of a constant with a single element.
  func scalar(_ value: ValueID?) -> Float? {
    guard let tensor = constant(value), tensor.count == 1 else { return nil }
    return tensor.floats.first
  }

  /// The elements of a constant that differs at most between channels when it is broadcast to
  /// `other`'s type: one element, or one per channel.
  func perChannel(_ value: ValueID?, like other: ValueID) -> [Float]? {
    guard let tensor = constant(value), tensor.elementType.isFloatingPoint,
      let type = self[other].type
    else { return nil }
    return tensor.perChannel(rank: type.rank, channels: type.channels)
  }

  /// Whether the elements of a value are +1 or −1 and nothing else, for any input.
  func isSign(_ value: ValueID, _ uses: Uses) -> Bool {
    guard let index = uses.producer(of: value) else { return false }
    let node = nodes[index]
    switch node.op {
    case .binarize, .binaryPool: return true
    case .pool(let pool) where pool.kind == .maximum:
      return node.input(0).map { isSign($0, uses) } ?? false
    case .pad(let pad) where pad.mode == .constant:
      guard let fill = constant(node.input(2))?.floats, fill.allSatisfy({ abs($0) == 1 }) else {
        return false
      }
    case .elementwiseBinary:
      return isSignProduct(node, uses)
    case .block(let block):
      switch block.epilogue.output {
      case .values: return false
      case .bits, .accumulatorBits: return true
      case .valuesAndBits: return node.outputs.last == value
      }
    default: break
    }
    let moved = node.movedInputs
    return !moved.isEmpty && moved.allSatisfy { isSign($0, uses) }
  }

  /// Whether a node multiplies two values of signs with the same dimensions.
  func isSignProduct(_ node: Node, _ uses: Uses) -> Bool {
    guard case .elementwiseBinary(let binary) = node.op, binary.kind == .multiply,
      let a = node.input(0), let b = node.input(1), dimensions(a) == dimensions(b)
    else { return false }
    return isSign(a, uses) && isSign(b, uses)
  }

  /// What a `Slice` takes, where that is one position after the other along one axis.
  func slice(_ node: Node) -> (axis: Int, range: Range<Int>)? {
    guard case .slice = node.op, let x = node.input(0), let type = self[x].type,
      let axes = constant(node.input(3))?.integers, axes.count == 1,
      let starts = constant(node.input(1))?.integers, starts.count == 1,
      let ends = constant(node.input(2))?.integers, ends.count == 1,
      node.input(4) == nil || constant(node.input(4))?.integers == [1]
    else { return nil }
    let axis = Int(axes[0]) < 0 ? Int(axes[0]) + type.rank : Int(axes[0])
    guard type.dimensions.indices.contains(axis), case .fixed(let extent) = type.dimensions[axis]
    else { return nil }
    func bounded(_ place: Int64) -> Int {
      Int(max(0, min(Int64(extent), place < 0 ? place &+ Int64(extent) : place)))
    }
    let (start, end) = (bounded(starts[0]), bounded(ends[0]))
    return start < end ? (axis, start..<end) : nil
  }

  /// The dimensions of a value; empty when they are not known.
  func dimensions(_ value: ValueID) -> [Dimension] { self[value].type?.dimensions ?? [] }

  /// The name of the operator that computes a value, with its node, for messages; what only moves
  /// elements does not count.
  func origin(of value: ValueID, _ uses: Uses) -> String {
    guard let index = uses.producer(of: value) else {
      return inputs.contains(value) ? "the model's input '\(self[value].name)'" : "a constant"
    }
    let node = nodes[index]
    switch node.op {
    case .reshape, .flatten, .transpose, .squeeze, .unsqueeze, .identity:
      if let x = node.input(0) { return origin(of: x, uses) }
    default: break
    }
    return "\(node.op.definition.name) '\(node.name)'"
  }
}

extension Tensor {
  /// The elements when, broadcast to a value of this rank, they differ at most along axis 1 (along
  /// the only axis of a vector): one element, or `channels`. nil otherwise.
  func perChannel(rank: Int, channels: Int?) -> [Float]? {
    if count == 1 { return shape.rank <= max(rank, 1) ? floats : nil }
    guard shape.rank <= rank, let channels else { return nil }
    for axis in 0..<shape.rank {
      let target = axis + rank - shape.rank
      let isChannelAxis = target == min(1, rank - 1)
      guard shape[axis] == (isChannelAxis ? channels : 1) else { return nil }
    }
    return count == channels ? floats : nil
  }
}

extension Array where Element == Float {
  /// One entry per channel of a list that has one entry per channel or one for all.
  func expanded(to channels: Int) -> [Float] {
    count == 1 ? [Float](repeating: self[0], count: channels) : self
  }
}
