import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct ResizeTests {
  private let row = floats([1, 2, 3, 4])

  private func resize(
    _ resize: Resize, _ x: Tensor? = nil, scales: [Float]? = nil, sizes: [Int64]? = nil,
    region: [Float]? = nil
  ) throws -> [Float] {
    let inputs = [
      x ?? row, region.map { floats($0) }, scales.map { floats($0) }, sizes.map { integers($0) },
    ]
    let results = try Op.resize(resize).definition.evaluate(inputs)
    #expect(try resize.inferTypes(inputs.facts)[0].shape == results[0].shape)
    return results[0].floats
  }

  /// At 0, 4/3 and 8/3.
  private static let roundings: [(Resize.Rounding, [Float])] = [
    (.floor, [1, 2, 3]), (.ceiling, [1, 3, 4]), (.preferFloor, [1, 2, 4]),
    (.preferCeiling, [1, 2, 4]),
  ]

  @Test(arguments: roundings)
  func `Nearest neighbours`(rounding: Resize.Rounding, expected: [Float]) throws {
    let op = Resize(mode: .nearest(rounding), coordinates: .asymmetric)
    #expect(try resize(op, sizes: [3]) == expected)
  }

  @Test func `Halves go where the rounding says`() throws {
    // Half pixel: 0.5 and 2.5.
    #expect(try resize(Resize(mode: .nearest(.preferFloor)), sizes: [2]) == [1, 3])
    #expect(try resize(Resize(mode: .nearest(.preferCeiling)), sizes: [2]) == [2, 4])
  }

  private static let doublings: [(Resize.Coordinates, [Float])] = [
    (.halfPixel, [1, 1.25, 1.75, 2]), (.pyTorchHalfPixel, [1, 1.25, 1.75, 2]),
    (.alignCorners, [1, 4.0 / 3, 5.0 / 3, 2]), (.asymmetric, [1, 1.5, 2, 2]),
    (.tensorFlowHalfPixel, [1.25, 1.75, 2, 2]), (.halfPixelSymmetric, [1, 1.25, 1.75, 2]),
  ]

  @Test(arguments: doublings)
  func `Positions of a linear doubling`(
    coordinates: Resize.Coordinates, expected: [Float]
  ) throws {
    let result = try resize(
      Resize(mode: .linear, coordinates: coordinates), floats([1, 2]), scales: [2])
    #expect(zip(result, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(result)")
  }

  @Test func `One result`() throws {
    #expect(
      try resize(Resize(mode: .linear, coordinates: .pyTorchHalfPixel), sizes: [1]) == [1])
    #expect(try resize(Resize(mode: .linear, coordinates: .halfPixel), sizes: [1]) == [2.5])
    #expect(try resize(Resize(mode: .linear, coordinates: .alignCorners), sizes: [1]) == [1])
  }

  @Test func `Cubic weights by hand`() throws {
    // At 0.25 with a = −0.5: −0.0703125, 0.8671875, 0.2265625, −0.0234375 for −1, 0, 1, 2.
    let op = Resize(mode: .cubic(coefficient: -0.5), coordinates: .asymmetric)
    let x = floats([0, 1, 0, 0, 0, 0, 0, 0])
    let result = try resize(op, x, scales: [4])
    #expect(result[5] == 0.8671875)
    #expect(result[1] == 0.2265625)
    // At 0.25 the element before the first counts as the first.
    let edge = try resize(op, floats([1, 0, 0, 0]), scales: [4])
    #expect(edge[1] == 0.8671875 - 0.0703125)
    var excluding = op
    excluding.excludesOutside = true
    let renormalized = try resize(excluding, floats([1, 0, 0, 0]), scales: [4])
    #expect(abs(renormalized[1] - 0.8671875 / 1.0703125) < 1e-6)
  }

  @Test func `Antialiasing averages what one result stands for`() throws {
    let op = Resize(mode: .linear, antialias: true)
    let result = try resize(op, floats([8, 0, 0, 0]), scales: [0.5])
    // The results lie at 0.5 and 2.5; elements at distances 0.5 and 1.5 weigh 3/8 and 1/8, and what
    // is before the first element counts as the first.
    #expect(result == [4, 0])
    #expect(try resize(op, floats([0, 8, 0, 0]), scales: [0.5]) == [3, 1])
  }

  @Test func `A region and what lies outside`() throws {
    let op = Resize(
      mode: .linear, coordinates: .tensorFlowCrop, extrapolationValue: 9)
    // From 0.5 · 3 to 1.5 · 3: 1.5, 3, 4.5.
    #expect(try resize(op, sizes: [3], region: [0.5, 1.5]) == [2.5, 4, 9])
    var nearest = op
    nearest.mode = .nearest(.floor)
    #expect(try resize(nearest, sizes: [3], region: [0.5, 1.5]) == [2, 4, 9])
  }

  @Test func `Several axes, some of them`() throws {
    let x = floats([1, 2, 3, 4], [1, 2, 2])
    let op = Resize(mode: .nearest(.floor), coordinates: .asymmetric, axes: [-1, 1])
    #expect(try resize(op, x, scales: [2, 1]) == [1, 1, 2, 2, 3, 3, 4, 4])
    let linear = Resize(mode: .linear, coordinates: .alignCorners, axes: [1, 2])
    #expect(
      try resize(linear, x, sizes: [3, 3]) == [1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4])
  }

  @Test(arguments: [(Resize.Aspect.notLarger, Shape([2, 4])), (.notSmaller, Shape([3, 6]))])
  func `Sizes that keep the ratio`(aspect: Resize.Aspect, expected: Shape) throws {
    let op = Resize(mode: .nearest(.floor), coordinates: .asymmetric, aspect: aspect)
    let facts = [ramp([2, 4]), nil, nil, integers([3, 4])].facts
    #expect(try op.inferTypes(facts)[0].shape == expected)
  }

  @Test(arguments: [[Float(0)], [-1], [.nan], [.infinity], [1, 1], []] as [[Float]])
  func `Impossible scales`(scales: [Float]) {
    #expect(throws: OperatorError.self) {
      _ = try resize(Resize(mode: .linear), scales: scales)
    }
  }

  @Test func `Impossible sizes and axes`() {
    #expect(throws: OperatorError.self) { _ = try resize(Resize(mode: .linear), sizes: [-1]) }
    #expect(throws: OperatorError.self) {
      _ = try resize(Resize(mode: .linear), sizes: [1 << 62])
    }
    #expect(throws: OperatorError.tooLarge([1 << 33])) {
      _ = try resize(Resize(mode: .linear), sizes: [1 << 33])
    }
    #expect(throws: OperatorError.self) {
      _ = try resize(Resize(mode: .linear), floats([], [0]), sizes: [2])
    }
    #expect(throws: OperatorError.self) {
      _ = try resize(Resize(mode: .linear, axes: [0, 0]), sizes: [1, 1])
    }
    #expect(throws: OperatorError.self) {
      _ = try resize(Resize(mode: .linear, axes: [.min]), sizes: [1])
    }
  }
}
