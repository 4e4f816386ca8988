import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNGraph

/// Operators take whatever a file may hold: they throw, but never trap, and type inference says
/// exactly what evaluation makes.
@Suite struct RandomOperandTests {
  @Test(arguments: 0..<40)
  func randomOperandsAndAttributes(seed: Int) throws {
    var source = RandomSource(seed: UInt64(seed))
    var accepted = 0
    for _ in 0..<400 {
      let op = source.op()
      let inputs = (0..<Int.random(in: 1...5, using: &source.generator)).map { _ in
        source.operand()
      }
      let types: [ResultType]
      do {
        types = try op.definition.inferTypes(inputs.facts)
      } catch {
        // What inference refuses, evaluation refuses too.
        #expect(throws: error, "\(op) \(inputs)") { _ = try op.definition.evaluate(inputs) }
        continue
      }
      guard types.allSatisfy({ $0.shape.count < 100_000 }),
        let results = try? op.definition.evaluate(inputs)
      else { continue }
      accepted += 1
      #expect(
        results.map { ResultType($0.elementType, $0.shape) } == types, "\(op) \(inputs)")
    }
    #expect(accepted > 10)
  }
}

private struct RandomSource {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  private mutating func small(_ range: ClosedRange<Int> = -2...3) -> Int {
    .random(in: range, using: &generator)
  }

  private mutating func flag() -> Bool { .random(using: &generator) }

  private mutating func list(_ range: ClosedRange<Int>) -> [Int] {
    (0..<small(0...3)).map { _ in small(range) }
  }

  /// Mostly small numbers, now and then an extreme one.
  private mutating func number() -> Int64 {
    let extremes: [Int64] = [.min, .max, 1 << 31, -(1 << 31), 1 << 40]
    return small(0...15) == 0 ? extremes.randomElement(using: &generator) ?? 0 : Int64(small())
  }

  private mutating func axis() -> Int {
    small(0...30) == 0 ? [Int.min, .max].randomElement(using: &generator) ?? 0 : small()
  }

  mutating func operand() -> Tensor? {
    let shape = Shape((0..<small(0...4)).map { _ in small(0...9) == 0 ? 0 : small(1...3) })
    let count = shape.count
    switch small(0...19) {
    case 0: return nil
    case 1: return Tensor((0..<count).map { _ in flag() }, shape: shape)
    case 2: return Tensor((0..<count).map { _ in Double(small()) }, shape: shape)
    case 3: return .randomBits(shape, using: &generator)
    case 4...8: return Tensor((0..<count).map { _ in number() }, shape: shape)
    case 9: return Tensor((0..<count).map { _ in number() }, shape: shape, elementType: .uint64)
    case 10:
      let numbers = (0..<count).map { _ in number().narrowed(to: .int8) }
      return Tensor(numbers, shape: shape, elementType: .int8)
    case 11:
      let halves = (0..<count).map { _ in Float(small()) }
      return Tensor(halves, shape: shape, elementType: .float16)
    case 12...14:
      // A list of integers, which many operators want.
      return Tensor((0..<small(0...4)).map { _ in number() }, vector: ())
    default:
      let specials: [Float] = [.nan, .infinity, -.infinity, -0.0, 1e38, .leastNonzeroMagnitude]
      return Tensor(
        (0..<count).map { _ in
          small(0...9) == 0
            ? specials.randomElement(using: &generator) ?? 0 : Float(small())
        }, shape: shape)
    }
  }

  private mutating func window() -> WindowGeometry {
    let rank = small(0...2)
    var window = WindowGeometry(kernel: (0..<rank).map { _ in small(1...3) })
    guard small(0...2) == 0 else { return window }
    window.strides = list(0...2)
    window.dilations = list(0...2)
    window.padsBegin = list(-1...2)
    window.padsEnd = list(-1...2)
    return window
  }

  private mutating func geometry() -> ConvolutionGeometry {
    ConvolutionGeometry(
      window: window(), groups: small(0...2),
      padding: ConvolutionGeometry.PaddingValue.allCases.randomElement(using: &generator) ?? .zero)
  }

  private mutating func pool() -> Pool {
    Pool(
      kind: flag() ? .maximum : .average(countPadding: flag()), window: window(),
      ceiling: flag(), isGlobal: flag())
  }

  mutating func op() -> Op {
    switch small(0...4) {
    case 0: windowOp()
    case 1: arithmeticOp()
    case 2: movingOp()
    case 3: shapeOp()
    default: indexedOp()
    }
  }

  private mutating func windowOp() -> Op {
    switch small(0...6) {
    case 0: .convolution(Convolution(geometry: geometry()))
    case 1:
      .transposedConvolution(
        TransposedConvolution(geometry: geometry(), outputPadding: list(-1...2)))
    case 2: .pool(pool())
    case 3: .binaryConvolution(BinaryConvolution(geometry: geometry()))
    case 4:
      .binaryPool(
        BinaryPool(window: window(), ceiling: flag(), inverted: list(0...1).map { $0 == 0 }))
    case 5:
      .block(
        Block(
          core: flag() ? .convolution(geometry()) : .pointwise,
          epilogue: Epilogue(steps: [.add(operand: small()), .function(.sign)])))
    default: .softmax(Softmax(axis: axis(), logarithm: flag(), flattens: flag()))
    }
  }

  private mutating func arithmeticOp() -> Op {
    let functions: [PointwiseFunction] = [.relu, .sign, .absolute, .negate, .exponential, .tanh]
    return switch small(0...11) {
    case 0: .gemm(Gemm(transposeA: flag(), transposeB: flag()))
    case 1: .matMul(MatMul())
    case 2: .batchNormalization(BatchNormalization())
    case 3:
      .elementwiseUnary(
        ElementwiseUnary(function: functions.randomElement(using: &generator) ?? .relu))
    case 4...6:
      .elementwiseBinary(
        ElementwiseBinary(
          kind: ElementwiseBinary.Kind.allCases.randomElement(using: &generator) ?? .add))
    case 7:
      .comparison(
        Comparison(kind: Comparison.Kind.allCases.randomElement(using: &generator) ?? .equal))
    case 8: .logical(Logical(kind: Logical.Kind.allCases.randomElement(using: &generator) ?? .or))
    case 9: .clip(Clip())
    case 10: .pRelu(PRelu())
    default: .cast(Cast(to: ElementType.allCases.randomElement(using: &generator) ?? .bool))
    }
  }

  private mutating func movingOp() -> Op {
    switch small(0...9) {
    case 0: .concat(Concat(axis: axis()))
    case 1: .split(Split(axis: axis(), parts: small()))
    case 2: .slice(Slice())
    case 3: .gather(Gather(axis: axis()))
    case 4: .transpose(Transpose(permutation: list(0...2)))
    case 5: .expand(Expand())
    case 6: .tile(Tile())
    case 7: .pad(Pad(mode: Pad.Mode.allCases.randomElement(using: &generator) ?? .edge))
    case 8: .select(Where())
    default:
      .argumentExtremum(
        ArgumentExtremum(
          isMaximum: flag(), axis: axis(), keepDimensions: flag(), selectsLast: flag()))
    }
  }

  private mutating func indexedOp() -> Op {
    let reduction = ScatterReduction.allCases.randomElement(using: &generator) ?? .none
    return switch small(0...8) {
    case 0: .topK(TopK(axis: axis(), largest: flag()))
    case 1: .cumulativeSum(CumulativeSum(exclusive: flag(), reverse: flag()))
    case 2: .gatherElements(GatherElements(axis: axis()))
    case 3: .gatherND(GatherND(batchDimensions: axis()))
    case 4: .scatterElements(ScatterElements(axis: axis(), reduction: reduction))
    case 5: .scatterND(ScatterND(reduction: reduction))
    case 6: .bitwise(Bitwise(kind: Bitwise.Kind.allCases.randomElement(using: &generator) ?? .or))
    case 7:
      .maximumIndices(
        MaximumIndices(window: window(), ceiling: flag(), columnMajor: flag()))
    default: .resize(resize())
    }
  }

  private mutating func resize() -> Resize {
    let rounding = Resize.Rounding.allCases.randomElement(using: &generator) ?? .floor
    let modes: [Resize.Mode] = [.nearest(rounding), .linear, .cubic(coefficient: -0.75)]
    return Resize(
      mode: modes.randomElement(using: &generator) ?? .linear,
      coordinates: Resize.Coordinates.allCases.randomElement(using: &generator) ?? .halfPixel,
      axes: flag() ? list(-2...2) : nil,
      aspect: Resize.Aspect.allCases.randomElement(using: &generator) ?? .stretch,
      excludesOutside: flag(), extrapolationValue: Float(small()), antialias: flag())
  }

  private mutating func shapeOp() -> Op {
    switch small(0...8) {
    case 0: .reshape(Reshape(allowsZero: flag()))
    case 1: .flatten(Flatten(axis: axis()))
    case 2: .squeeze(Squeeze())
    case 3: .unsqueeze(Unsqueeze())
    case 4: .shapeOf(ShapeOf(start: axis(), end: flag() ? axis() : nil))
    case 5: .size(Size())
    case 6: .constantOfShape(ConstantOfShape(value: Tensor([1 as Int64], shape: [1])))
    case 7: .range(NumberRange())
    default:
      .reduce(
        Reduce(
          kind: Reduce.Kind.allCases.randomElement(using: &generator) ?? .sum,
          keepDimensions: flag(), emptyAxesIsIdentity: flag()))
    }
  }
}

extension Tensor {
  fileprivate init(_ elements: [Int64], vector: Void) {
    self.init(elements, shape: [elements.count])
  }
}
