import BNNKit

/// Activation signs in their spellings.
extension NetworkBuilder {
  /// What a convolution reads: signs, or a combination of a few.
  struct Activations {
    var flow: Flow
    /// As how many products with signs a product with it is written.
    var terms = 1
    /// Whether zero padding is a combination of signs.
    var allowsZeroPadding = true
  }

  mutating func activations(_ form: SignForm, of x: Flow) -> Activations {
    if x.isSign { return Activations(flow: x) }
    switch form {
    case .mask, .maskOfRelu, .oneMinusMask, .notMask:
      return Activations(flow: mask(form, of: x))
    case .sumOfSigns:
      let (a, b) = (plainSign(shifted(x, by: [0.25])), plainSign(shifted(x, by: [-0.375])))
      return Activations(flow: sum(a, b), terms: 2)
    case .differenceOfMasks:
      let (a, b) = (mask(.mask, of: shifted(x, by: [0.5])), mask(.mask, of: shifted(x, by: [-1])))
      let id = binary(.subtract, a.id, b.id)
      return Activations(flow: made(id, from: x, bound: 1, grid: 0), terms: 2)
    case .threeLevels, .fourLevels, .fourLevelsFromZero:
      return Activations(flow: levels(form, of: x), terms: 2)
    case .scaled, .bipolarScaled:
      return Activations(flow: multiplied(plainSign(x), by: [form == .scaled ? 0.5 : -2]))
    default:
      var y = made(sign(form, of: x), from: x, bound: 1, grid: 0)
      y.isSign = true
      return Activations(flow: y)
    }
  }

  /// A `Sign`; +1 at 0 in the resolved network.
  mutating func plainSign(_ x: Flow) -> Flow {
    var y = made(plainSign(x.id), from: x, bound: 1, grid: 0)
    y.isSign = true
    return y
  }

  private mutating func plainSign(_ x: ValueID) -> ValueID {
    guard resolvesZeros else { return unary(.sign, x) }
    return choose(compare(.greaterOrEqual, x, scalar(0)), scalar(1), scalar(-1))
  }

  private mutating func sign(_ form: SignForm, of x: Flow) -> ValueID {
    switch form {
    case .greaterOrEqual, .greater, .less, .lessOrEqual, .constantOnTheLeft, .notLess,
      .notLessWithCast, .castTwice, .twiceFromOne, .castMinusHalf, .integerArithmetic,
      .fullSizeBranches, .channelThresholds, .expandedThresholds:
      return comparisonSign(form, of: x)
    case .signOfSignPlus:
      return unary(.sign, binary(.add, unary(.sign, x.id), scalar(pick([0.5, -0.5, 0.125]))))
    case .zeroReplaced:
      let sign = unary(.sign, x.id)
      return choose(compare(.equal, sign, scalar(0)), scalar(pick([1, -1])), sign)
    case .negatedTwice:
      // −Sign(x) is chosen to be −1 at 0.
      return unary(.negate, unary(.negate, plainSign(x.id)))
    case .clipped: return plainSign(clipped(x, -1, 1).id)
    case .hyperbolicTangent: return plainSign(unary(.tanh, x.id))
    case .shiftedSign: return plainSign(shifted(x, by: [pick([0.25, -0.375])]).id)
    case .estimatorOfInput, .estimatorOfClip, .estimatorFirst, .polynomial:
      return estimator(form, of: x)
    case .rounded:
      let half = binary(.divide, binary(.add, x.id, scalar(1)), scalar(2))
      let rounded = unary(.roundHalfToEven, node(.clip(Clip()), half, scalar(0), scalar(1)))
      return binary(.subtract, binary(.multiply, rounded, scalar(2)), scalar(1))
    default: return plainSign(x.id)
    }
  }

  private mutating func comparisonSign(_ form: SignForm, of x: Flow) -> ValueID {
    let (one, minusOne) = (scalar(1), scalar(-1))
    let zero = scalar(pick([0, 0, 0.5]))
    switch form {
    case .greaterOrEqual: return choose(compare(.greaterOrEqual, x.id, zero), one, minusOne)
    case .greater: return choose(compare(.greater, x.id, zero), one, minusOne)
    case .less: return choose(compare(.less, x.id, zero), minusOne, one)
    case .lessOrEqual: return choose(compare(.lessOrEqual, x.id, zero), minusOne, one)
    case .constantOnTheLeft:
      let kind = pick([ComparisonFunction.less, .lessOrEqual, .greater, .greaterOrEqual])
      return choose(compare(kind, zero, x.id), one, minusOne)
    case .notLess:
      let test = node(.logical(Logical(kind: .not)), compare(.less, x.id, zero))
      return choose(test, one, minusOne)
    case .notLessWithCast:
      let test = cast(compare(.less, x.id, zero), to: .bool)
      return choose(node(.logical(Logical(kind: .not)), test), one, minusOne)
    case .castTwice:
      let mask = cast(compare(.greater, x.id, zero))
      return binary(.subtract, binary(.multiply, mask, scalar(2)), one)
    case .twiceFromOne:
      let mask = cast(compare(.less, x.id, zero))
      return binary(.subtract, one, binary(.multiply, mask, scalar(2)))
    case .castMinusHalf:
      let mask = cast(compare(.greater, x.id, zero))
      return binary(.multiply, binary(.subtract, mask, scalar(0.5)), scalar(2))
    case .integerArithmetic:
      let mask = cast(compare(.greaterOrEqual, x.id, zero), to: .int32)
      let two = constant(Tensor([Int64(2)], shape: [], elementType: .int32))
      let one = constant(Tensor([Int64(1)], shape: [], elementType: .int32))
      return cast(binary(.subtract, binary(.multiply, mask, two), one))
    case .fullSizeBranches:
      let shape = Shape([1, x.channels] + x.extents)
      let ones = constant(.init(repeating: 1, count: shape.count), shape)
      let others = constant(.init(repeating: -1, count: shape.count), shape)
      return choose(compare(.greaterOrEqual, x.id, zero), ones, others)
    case .expandedThresholds:
      let table = list(x.channels, of: [-1, -0.5, 0, 0.5, 2])
      let shape = Shape([1, x.channels] + x.extents)
      let wide = constant(
        table.flatMap { [Float](repeating: $0, count: x.positions) }, shape)
      return choose(compare(.greaterOrEqual, x.id, wide), one, minusOne)
    default:
      let bounds = perChannel(
        list(x.channels, of: [-1, -0.5, 0, 0.5, 2]), rank: x.extents.count)
      return choose(compare(pick([.greater, .lessOrEqual]), x.id, bounds), one, minusOne)
    }
  }

  /// `(s − e) + e`, whose value is s.
  private mutating func estimator(_ form: SignForm, of x: Flow) -> ValueID {
    switch form {
    case .estimatorOfInput:
      return binary(.add, x.id, binary(.subtract, plainSign(x.id), x.id))
    case .estimatorFirst:
      let e = clipped(x, -1.25, 1.25).id
      return binary(.add, e, binary(.subtract, plainSign(e), e))
    case .polynomial where x.grid <= 8:
      let e = polynomial(x.id)
      return binary(.add, binary(.subtract, plainSign(x.id), e), e)
    default:
      let e = clipped(x, -1, 1).id
      return binary(.add, binary(.subtract, plainSign(x.id), e), e)
    }
  }

  /// The piecewise quadratic estimator of Bi-Real-Net.
  private mutating func polynomial(_ x: ValueID) -> ValueID {
    let masks = [Float(-1), 0, 1].map { bound in cast(compare(.less, x, scalar(bound))) }
    let double = binary(.multiply, x, scalar(2))
    let rising = binary(.add, binary(.multiply, x, x), double)
    let falling = binary(.add, binary(.multiply, unary(.negate, x), x), double)
    func mixed(_ a: ValueID, _ b: ValueID, _ mask: ValueID) -> ValueID {
      let rest = binary(.multiply, b, binary(.subtract, scalar(1), mask))
      return binary(.add, binary(.multiply, a, mask), rest)
    }
    let first = mixed(scalar(-1), rising, masks[0])
    let second = mixed(first, falling, masks[1])
    return binary(
      .add, binary(.multiply, second, masks[2]), binary(.subtract, scalar(1), masks[2]))
  }

  // MARK: Other values

  private mutating func mask(_ form: SignForm, of x: Flow) -> Flow {
    let id: ValueID
    switch form {
    case .maskOfRelu: id = unary(.sign, unary(.relu, x.id))
    case .oneMinusMask:
      id = binary(.subtract, scalar(1), cast(compare(.greater, x.id, scalar(0.5))))
    case .notMask:
      id = cast(node(.logical(Logical(kind: .not)), compare(.less, x.id, scalar(0))))
    default: id = cast(compare(.greater, x.id, scalar(0)))
    }
    return made(id, from: x, bound: 1, grid: 0, restsAtZero: true)
  }

  private mutating func levels(_ form: SignForm, of x: Flow) -> Flow {
    switch form {
    case .threeLevels:
      let id = unary(.roundHalfToEven, clipped(x, -1, 1).id)
      return made(id, from: x, bound: 1, grid: 0)
    case .fourLevels:
      let inner = clipped(shifted(x, by: [1.5]), 0, 3)
      let id = binary(.subtract, unary(.roundHalfToEven, inner.id), scalar(1.5))
      return made(id, from: x, bound: 1.5, grid: 1)
    default:
      let id = unary(.roundHalfToEven, clipped(x, 0, 3).id)
      return made(id, from: x, bound: 3, grid: 0, restsAtZero: true)
    }
  }
}
