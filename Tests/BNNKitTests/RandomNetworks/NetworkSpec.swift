import BNNTestSupport

/// A small binary network as data, from which ``NetworkBuilder`` makes a graph.
///
/// The first case of every option is the simplest. Every layer has a seed for its numbers, so
/// that a change of one layer leaves the others as they are.
struct NetworkSpec {
  var seed: UInt64
  var channels: Int
  /// One or two spatial extents.
  var extents: [Int]
  var batch = BatchForm.open
  var input = InputForm.plain
  var layers: [LayerSpec]
  var head = Head.none
  var headWeights = WeightForm.signs
  var secondOutput = SecondOutput.none

  enum BatchForm: CaseIterable { case open, one, three }

  enum InputForm: CaseIterable {
    case plain, scaled, channelsLast
    /// Comparisons of every channel with several levels, which become channels.
    case thermometer, thermometerTable, thermometerOfOneChannel
  }

  enum Head: CaseIterable {
    case none, binaryGemm, binaryGemmTransposed, binaryGemmScaled, binaryMatMul, binaryMatMulOfRank3
    case binaryGemmReshaped, realGemm, realGemmOfPool, realGemmOfMean, realMatMul, signs
    case twoBinaryLayers
  }

  enum SecondOutput: CaseIterable { case none, trunk, sign }
}

/// One layer: a sign, a product, and what is computed around it.
struct LayerSpec {
  var seed: UInt64
  var outputs: Int
  var sign = SignForm.sign
  var beforeSign = BeforeSign.nothing
  var weights = WeightForm.signs
  var scale = ScaleForm.none
  var geometry = GeometryForm.point
  var block = BlockForm.single
  var bias = BiasForm.none
  var normalization = Normalization.none
  var residual = Residual.none
  var activation = Activation.none
  var pooling = Pooling.none
}

enum SignForm: CaseIterable {
  case sign
  // Comparisons.
  case greaterOrEqual, greater, less, lessOrEqual, constantOnTheLeft, notLess, notLessWithCast
  case castTwice, twiceFromOne, castMinusHalf, integerArithmetic, fullSizeBranches
  case channelThresholds, expandedThresholds
  // Signs of signs and of bounded numbers.
  case signOfSignPlus, zeroReplaced, negatedTwice, clipped, hyperbolicTangent, shiftedSign
  // Straight-through estimators.
  case estimatorOfInput, estimatorOfClip, estimatorFirst, polynomial
  case rounded, scaled, bipolarScaled
  // Other values than ±1.
  case mask, maskOfRelu, oneMinusMask, notMask, sumOfSigns, differenceOfMasks
  case threeLevels, fourLevels, fourLevelsFromZero
}

extension SignForm {
  /// Whether the form does not depend on which axis has the channels.
  var isForAnyOrder: Bool {
    switch self {
    case .fullSizeBranches, .channelThresholds, .expandedThresholds: false
    default: true
    }
  }
}

enum BeforeSign: CaseIterable {
  case nothing, channelBias, fullSizeBias, scaledNormalization, clip, maximumPool, channelsLast
}

enum WeightForm: CaseIterable {
  case signs, scaledPerLayer, scaledPerChannel
  // Computed in the graph.
  case signOfLatent, scaledSignOfLatent, meanMagnitude, comparison, castComparison, estimator
  case doubleLatent, halfLatent, bytes, bools, flat, permuted
  // Not ±α.
  case twoValues, zeroAndOne, twoValuesPerChannel, singleZeros, zeroChannel, repeatedKernels
}

enum ScaleForm: CaseIterable { case none, before, after, ofLayer }

enum GeometryForm: CaseIterable {
  case point, valid, padded, strided, dilated, asymmetric, wide
  case grouped, depthwise, groupedStrided
  case paddedMinusOne, paddedZero, paddedPlusOne, paddedEdge, paddedReflect
}

enum BlockForm: CaseIterable {
  case single, selfConcatenated, dense, twoProducts, twoSigns, splitProducts, splitSigns
  case shuffledBefore, shuffledAfter, activationMap, gated, realBranch, rowsOfProducts
}

enum BiasForm: CaseIterable { case none, inProduct, added }

enum Normalization: CaseIterable { case none, plain, beforeSum, afterSum, dividing }

enum Residual: CaseIterable { case none, sum, shortcutFirst, doubled, halved, tiled }

enum Activation: CaseIterable {
  case none, relu, prelu, leakyRelu, rprelu
  case twoSlopesByWhere, twoSlopesByRelu, twoSlopesByClip, hardTanh
  case channelGate, positionGate
}

enum Pooling: CaseIterable {
  case none, maximum, maximumFirst, maximumOfSigns, average, overlapping, ceiling
}
