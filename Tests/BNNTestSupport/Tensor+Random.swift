import BNNTensor

extension Tensor {
  /// Float32 elements, uniform in a range.
  public static func random(
    _ shape: Shape, in range: ClosedRange<Float> = -1...1, using generator: inout SeededGenerator
  ) -> Tensor {
    Tensor((0..<shape.count).map { _ in Float.random(in: range, using: &generator) }, shape: shape)
  }

  /// Float32 elements of +1 and −1.
  public static func randomSigns(
    _ shape: Shape, using generator: inout SeededGenerator
  ) -> Tensor {
    Tensor(
      (0..<shape.count).map { _ in Bool.random(using: &generator) ? 1 : -1 as Float }, shape: shape)
  }

  /// Bits, as weights are stored.
  public static func randomBits(
    _ shape: Shape, using generator: inout SeededGenerator
  ) -> Tensor {
    let bits = (0..<shape.count).map { _ in Bool.random(using: &generator) }
    return Tensor(PackedTensor(shape: shape) { bits[$0] })
  }
}
