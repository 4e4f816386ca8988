import BNNTensor
import Testing

@Suite struct ShapeTests {
  @Test func countsAndStrides() {
    let shape: Shape = [2, 3, 4]
    #expect(shape.count == 24)
    #expect(shape.strides == [12, 4, 1])
    #expect(shape.rank == 3)
    #expect(shape[2] == 4)
    #expect(([] as Shape).count == 1)
    #expect(([] as Shape).strides == [])
    #expect(([3, 0] as Shape).checkedCount == 0)
    #expect(shape.description == "[2,3,4]")
  }

  @Test(arguments: [[-1], [2, -3], [.max, 2], [1 << 32, 1 << 32]])
  func countsThatCannotBe(dimensions: [Int]) {
    #expect(Shape(dimensions).checkedCount == nil)
  }

  @Test(
    arguments: [
      ([2, 3], [2, 3], [2, 3]), ([2, 3], [3], [2, 3]), ([3], [2, 3], [2, 3]),
      ([2, 1], [1, 3], [2, 3]), ([], [4], [4]), ([5, 1, 2], [7, 1], [5, 7, 2]), ([1], [0], [0]),
    ] as [(Shape, Shape, Shape)])
  func broadcasting(a: Shape, b: Shape, result: Shape) {
    #expect(a.broadcast(with: b) == result)
  }

  @Test func shapesThatDoNotBroadcast() {
    #expect(([2, 3] as Shape).broadcast(with: [2]) == nil)
    #expect(([2] as Shape).broadcast(with: [0]) == nil)
  }

  @Test func dimensions() {
    #expect(Dimension.batch(3).extent(batch: 4) == 12)
    #expect(Dimension.fixed(3).extent(batch: 4) == 3)
    #expect([.batch(1), .fixed(5)].shape(batch: 2) == [2, 5])
    #expect([Dimension.batch(1), .batch(4), .fixed(7)].map(\.description) == ["N", "4N", "7"])
  }
}
