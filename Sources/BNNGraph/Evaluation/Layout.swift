import BNNTensor

/// Where the elements of a result lie in an operand: at `offset` plus the sum of index · stride.
struct StridedLayout {
  var shape: Shape
  var strides: [Int]
  var offset = 0

  init(shape: Shape, strides: [Int], offset: Int = 0) {
    self.shape = shape
    self.strides = strides
    self.offset = offset
  }

  /// An operand repeated to the shape of a result that it broadcasts to.
  init(broadcasting operand: Shape, to result: Shape) {
    let missing = result.rank - operand.rank
    let own = operand.strides
    shape = result
    strides = (0..<result.rank).map { axis in
      axis < missing || operand[axis - missing] == 1 ? 0 : own[axis - missing]
    }
  }

  /// The operand's index of every element of the result in row-major order.
  var indices: [Int] { map { $0 } }

  /// Whether the elements are those of an operand of as many, in its own order.
  func isIdentity(of count: Int) -> Bool {
    guard offset == 0, shape.count == count else { return false }
    return zip(zip(shape.dimensions, strides), shape.strides).allSatisfy { own, rowMajor in
      own.0 == 1 || own.1 == rowMajor
    }
  }

  /// A function of the operand's index of every element of the result in row-major order.
  @inline(__always)
  func map<Element>(_ body: (Int) -> Element) -> [Element] {
    let count = shape.count
    guard count > 0 else { return [] }
    guard let length = shape.dimensions.last, let step = strides.last else { return [body(offset)] }
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      var position = 0
      forEachRow { start in
        for index in 0..<length {
          buffer.initializeElement(at: position + index, to: body(start + index * step))
        }
        position += length
      }
      initialized = position
    }
  }

  /// Calls `body` with the index of the first element of every row.
  private func forEachRow(_ body: (Int) -> Void) {
    let outer = shape.rank - 1
    var counter = [Int](repeating: 0, count: outer)
    var start = offset
    while true {
      body(start)
      var axis = outer - 1
      while axis >= 0 {
        counter[axis] += 1
        start += strides[axis]
        if counter[axis] < shape[axis] { break }
        start -= counter[axis] * strides[axis]
        counter[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

extension Tensor {
  /// The elements at row-major indices, under a shape of as many elements.
  func gathering(_ indices: [Int], shape: Shape) -> Tensor {
    func pick<T>(_ elements: [T]) -> [T] {
      elements.withUnsafeBufferPointer { source in indices.map { source[$0] } }
    }
    return switch storage {
    case .float(let elements): Tensor(pick(elements), shape: shape, elementType: elementType)
    case .double(let elements): Tensor(pick(elements), shape: shape)
    case .integer(let elements): Tensor(pick(elements), shape: shape, elementType: elementType)
    case .bool(let elements): Tensor(pick(elements), shape: shape)
    case .sign(let packed): Tensor(PackedTensor(shape: shape) { packed[indices[$0]] })
    }
  }

  /// The elements that a layout finds.
  func gathering(_ layout: StridedLayout) -> Tensor {
    func pick<T>(_ elements: [T]) -> [T] {
      elements.withUnsafeBufferPointer { source in layout.map { source[$0] } }
    }
    let shape = layout.shape
    if layout.isIdentity(of: count) { return withShape(shape) }
    return switch storage {
    case .float(let elements): Tensor(pick(elements), shape: shape, elementType: elementType)
    case .double(let elements): Tensor(pick(elements), shape: shape)
    case .integer(let elements): Tensor(pick(elements), shape: shape, elementType: elementType)
    case .bool(let elements): Tensor(pick(elements), shape: shape)
    case .sign: gathering(layout.indices, shape: shape)
    }
  }

  /// The same elements under a shape of as many elements; also for ±1 bits.
  func withShape(_ shape: Shape) -> Tensor {
    if case .sign(let packed) = storage {
      return Tensor(PackedTensor(shape: shape) { packed[$0] })
    }
    return reshaped(to: shape)
  }

  /// The elements of several tensors of one type, one after the other.
  static func joined(_ parts: [Tensor], elementType: ElementType) -> Tensor {
    let shape: Shape = [parts.reduce(0) { $0 + $1.count }]
    switch elementType {
    case .float64: return Tensor(parts.flatMap(\.doubles), shape: shape)
    case .bool: return Tensor(parts.flatMap(\.bools), shape: shape)
    case .sign:
      let signs = parts.flatMap(\.floats)
      return Tensor(PackedTensor(shape: shape) { signs[$0] > 0 })
    case .float32, .float16, .bfloat16:
      return Tensor(parts.flatMap(\.floats), shape: shape, elementType: elementType)
    default:
      return Tensor(parts.flatMap(\.integers), shape: shape, elementType: elementType)
    }
  }

  /// Float elements of any float type, rounded to it.
  init(rounding elements: [Float], shape: Shape, to type: ElementType) {
    let rounded = type == .float32 ? elements : elements.map { $0.rounded(to: type) }
    self.init(rounded, shape: shape, elementType: type)
  }

  /// A tensor filled with the element of a one-element tensor.
  init(repeating element: Tensor, shape: Shape) {
    self = element.gathering([Int](repeating: 0, count: shape.count), shape: shape)
  }

  /// The scalar 0, or false.
  static func zero(of type: ElementType) -> Tensor {
    switch type {
    case .float64: Tensor([0.0 as Double], shape: [])
    case .bool: Tensor([false], shape: [])
    case .float32, .float16, .bfloat16: Tensor([0.0 as Float], shape: [], elementType: type)
    case .sign: Tensor(PackedTensor(shape: []) { _ in false })
    default: Tensor([0 as Int64], shape: [], elementType: type)
    }
  }
}
