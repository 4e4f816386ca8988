import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// What operations on arrays do beyond what the operator cases show: bits, threads, bad indices.
@Suite struct ArrayOperationTests {
  /// A model that gathers along an axis with a list of indices, constant or an input.
  private func model(
    _ type: ElementType, _ shape: Shape, axis: Int, _ indices: [Int64], isConstant: Bool
  ) -> BinaryModel {
    var result = shape
    result.dimensions[axis] = indices.count
    func value(_ name: String, _ type: ElementType, _ shape: Shape) -> ModelValue {
      ModelValue(
        name: name, elementType: type, dimensions: shape.dimensions.map { .fixed($0) })
    }
    let list = Tensor(indices, shape: [indices.count])
    let gather = Layer(
      name: "pick", operation: .array(.gather(axis: axis)), inputs: [0, 1], outputs: [2])
    let constant = Layer(
      name: "list", operation: .array(.constant(list)), inputs: [], outputs: [1])
    return BinaryModel(
      provenance: .test,
      values: [
        value("x", type, shape), value(isConstant ? "" : "i", .int64, list.shape),
        value("y", type, result),
      ], inputs: isConstant ? [0] : [0, 1], outputs: [2],
      layers: isConstant ? [constant, gather] : [gather])
  }

  /// Sums of whole numbers, which are exact in any order: of matrices in several parts, and broadcast.
  @Test(
    arguments: [
      ([20, 70], [70, 130]), ([7, 5], [5, 3]), ([8, 1], [1, 1]), ([2, 3, 9, 33], [3, 33, 65]),
      ([1, 100, 17], [4, 17, 16]), ([8, 3000], [3000, 100]),
    ])
  func multipliesMatrices(a: [Int], b: [Int]) throws {
    var random = SeededGenerator(seed: 3)
    func numbers(_ shape: [Int]) -> Tensor {
      let shape = Shape(shape)
      let list = (0..<shape.count).map { _ in Float(Int.random(in: -9...9, using: &random)) }
      return Tensor(list, shape: shape)
    }
    let (x, z) = (numbers(a), numbers(b))
    let (rows, inner, columns) = (a[a.count - 2], a[a.count - 1], b[b.count - 1])
    let stack = Shape(
      (a.count > b.count ? a : b).dropLast(2).enumerated().map {
        max($1, a.count == b.count ? a[$0] : 1)
      })
    let shape = Shape(stack.dimensions + [rows, columns])
    func value(_ name: String, _ shape: Shape) -> ModelValue {
      ModelValue(
        name: name, elementType: .float32, dimensions: shape.dimensions.map { .fixed($0) })
    }
    let model = BinaryModel(
      provenance: .test, values: [value("a", x.shape), value("b", z.shape), value("y", shape)],
      inputs: [0, 1], outputs: [2],
      layers: [
        Layer(name: "product", operation: .array(.matrixProduct), inputs: [0, 1], outputs: [2])
      ])
    let (left, right) = (x.floats, z.floats)
    let (leftCount, rightCount) = (left.count / (rows * inner), right.count / (inner * columns))
    let expected = (0..<shape.count).map { at in
      let (matrix, place) = at.quotientAndRemainder(dividingBy: rows * columns)
      let (row, column) = place.quotientAndRemainder(dividingBy: columns)
      let from = (matrix % leftCount * rows + row) * inner
      let to = matrix % rightCount * inner * columns + column
      return (0..<inner).reduce(Float(0)) { $0 + left[from + $1] * right[to + $1 * columns] }
    }
    for kernels in KernelChoice.supported {
      for threads in [1, 3] {
        let session = try InferenceSession(model, threads: threads, kernels: kernels)
        #expect(try session.run(["a": x, "b": z])[0].tensor.floats == expected)
      }
    }
  }

  @Test func gathersBitsAndReals() throws {
    for seed in 0..<80 {
      var random = SeededGenerator(seed: seed)
      let channels = random.pick(OperationTests.channelChoices)
      let shape = Shape(random.pick([[2, 3], [2], [1, 2, 2]]) + [channels])
      let axis = random.pick([0, shape.rank - 1, shape.rank - 1])
      let extent = shape[axis]
      let indices = (0..<random.pick([1, 64, 70])).map { _ in
        Int64.random(in: Int64(-extent)..<Int64(extent), using: &random)
      }
      let input = random.bool() ? random.bits(shape.dimensions) : random.reals(shape.dimensions)
      let x = Tensor(input.value, type: input.type)
      for isConstant in [true, false] {
        let model = model(input.type, shape, axis: axis, indices, isConstant: isConstant)
        var inputs = ["x": x]
        if !isConstant { inputs["i"] = Tensor(indices, shape: [indices.count]) }
        let found = try InferenceSession(model, threads: 2).run(inputs)[0].tensor
        let expected = found.shape.indices.map { index in
          var source = index
          let position = Int(indices[index[axis]])
          source[axis] = position < 0 ? position + extent : position
          return input.value[source]
        }
        #expect(found.floats == expected)
      }
    }
  }

  @Test func slicesOfBits() throws {
    for (start, step, count) in [(0, 1, 64), (3, 1, 70), (129, -1, 130), (1, 2, 64), (127, -3, 40)]
    {
      var random = SeededGenerator(seed: start)
      let input = random.bits([2, 130])
      let model = BinaryModel(
        provenance: .test,
        values: [
          ModelValue(name: "x", elementType: .sign, dimensions: [.batch(1), .fixed(130)]),
          ModelValue(name: "y", elementType: .sign, dimensions: [.batch(1), .fixed(count)]),
        ], inputs: [0], outputs: [1],
        layers: [
          Layer(
            name: "slice", operation: .array(.slice(starts: [0, start], steps: [1, step])),
            inputs: [0], outputs: [1])
        ])
      let found = try InferenceSession(model)
        .run(["x": Tensor(input.value, type: .sign)])[0].tensor.floats
      let expected = (0..<2).flatMap { row in
        (0..<count).map { input.value[[row, start + $0 * step]] }
      }
      #expect(found == expected)
    }
  }

  @Test func positionsThatDoNotExistAreNamed() throws {
    let error = RuntimeError.indexOutOfRange(layer: "pick", index: -4, extent: 3)
    let bad = model(.float32, [3, 2], axis: 0, [0, 1], isConstant: false)
    let session = try InferenceSession(bad)
    let x = Tensor([Float](repeating: 1, count: 6), shape: [3, 2])
    #expect(throws: error) {
      try session.run(["x": x, "i": Tensor([0, -4] as [Int64], shape: [2])])
    }
    // The session can go on.
    #expect(
      try session.run(["x": x, "i": Tensor([0, -3] as [Int64], shape: [2])])[0].tensor.floats
        == [1, 1, 1, 1])
    #expect(throws: error) {
      _ = try InferenceSession(model(.float32, [2, 3], axis: 1, [0, -4], isConstant: true))
    }
  }

  @Test func inputsTakeWhatTheirTypesHold() throws {
    let session = try InferenceSession(
      model(.float32, [3, 2], axis: 0, [0, 1], isConstant: false))
    let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])
    for type in [ElementType.int64, .int32, .int8, .uint8] {
      let list = Tensor([2, 0] as [Int64], shape: [2], elementType: type)
      #expect(try session.run(["x": x, "i": list])[0].tensor.floats == [5, 6, 1, 2])
    }
    #expect(throws: RuntimeError.wrongType(input: "i", expected: .int64, found: .float32)) {
      try session.run(["x": x, "i": Tensor([2, 0] as [Float], shape: [2])])
    }
  }

  @Test func layersThatBreakARuleAreNamed() {
    var bad = model(.float32, [3, 2], axis: 0, [0, 1], isConstant: true)
    bad.layers[1].operation = .array(.gather(axis: 2))
    #expect(throws: RuntimeError.invalidLayer(name: "pick", .rule(.axis(2)))) {
      try InferenceSession(bad)
    }
    bad.layers[1].operation = .array(.matrixProduct)
    #expect(
      throws: RuntimeError.invalidLayer(
        name: "pick", .rule(.operandType(expected: .float32, found: .int64)))
    ) { try InferenceSession(bad) }
  }
}
