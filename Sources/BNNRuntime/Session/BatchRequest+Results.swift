import BNNFormat
import BNNTensor

extension BatchRequest {
  /// Makes room for all results, which the slices fill. Tensors of an earlier run are kept where
  /// they fit.
  func prepare(
    _ results: inout [(name: String, tensor: Tensor)], _ model: BinaryModel
  ) throws(RuntimeError) {
    if results.count != model.outputs.count {
      let none = Tensor([Float](), shape: [0])
      results = model.outputs.map { (model.values[$0].name, none) }
    }
    for (position, index) in model.outputs.enumerated() {
      let value = model.values[index]
      results[position].name = value.name
      if !fits(results[position].tensor, value) {
        results[position].tensor = try emptyTensor(of: value)
      } else if value.elementType == .sign {
        results[position].tensor.clearBits()
      }
    }
  }

  private func fits(_ tensor: Tensor, _ value: ModelValue) -> Bool {
    guard tensor.elementType == value.elementType, tensor.shape.rank == value.dimensions.count
    else { return false }
    for (axis, dimension) in value.dimensions.enumerated()
    where tensor.shape[axis] != extent(dimension, axis: axis) {
      return false
    }
    return true
  }

  /// The extent that a result has along an axis, or nil on overflow.
  private func extent(_ dimension: Dimension, axis: Int) -> Int? {
    let product: (partialValue: Int, overflow: Bool)
    switch dimension {
    case .batch(let multiple): product = multiple.multipliedReportingOverflow(by: batch)
    case .fixed(let extent):
      let isRepeated = axis == 0 && !isDynamic && isDivisible
      product = extent.multipliedReportingOverflow(by: isRepeated ? batch : 1)
    }
    return product.overflow ? nil : product.partialValue
  }

  private func emptyTensor(of value: ModelValue) throws(RuntimeError) -> Tensor {
    var extents: [Int] = []
    for (axis, dimension) in value.dimensions.enumerated() {
      guard let extent = extent(dimension, axis: axis) else {
        throw .tooLarge(bytes: nil, limit: Buffer.maximumCount)
      }
      extents.append(extent)
    }
    let shape = Shape(extents)
    guard let count = shape.checkedCount, count <= Buffer.maximumCount else {
      throw .tooLarge(bytes: nil, limit: Buffer.maximumCount)
    }
    switch value.elementType {
    case .sign: return Tensor(PackedTensor(shape: shape) { _ in false })
    case .int32, .int64:
      let zeros = [Int64](repeating: 0, count: count)
      return Tensor(zeros, shape: shape, elementType: value.elementType)
    case .bool: return Tensor([Bool](repeating: false, count: count), shape: shape)
    default: return Tensor([Float](repeating: 0, count: count), shape: shape)
    }
  }
}

extension Tensor {
  /// Makes every bit of a tensor of bits 0.
  fileprivate mutating func clearBits() {
    updateStorage { storage in
      guard case .sign(var packed) = storage else { return }
      storage = .float([])
      packed.withMutableBytes { $0.update(repeating: 0) }
      storage = .sign(packed)
    }
  }
}
