/// The closed set of operators. Everything generic goes through ``definition``; passes match cases.
public enum Op: Equatable, Sendable {
  case convolution(Convolution)
  case transposedConvolution(TransposedConvolution)
  case gemm(Gemm)
  case matMul(MatMul)
  case batchNormalization(BatchNormalization)
  case pool(Pool)
  case elementwiseUnary(ElementwiseUnary)
  case elementwiseBinary(ElementwiseBinary)
  case comparison(Comparison)
  case logical(Logical)
  case select(Where)
  case clip(Clip)
  case cast(Cast)
  case pRelu(PRelu)
  case concat(Concat)
  case split(Split)
  case slice(Slice)
  case gather(Gather)
  case reshape(Reshape)
  case flatten(Flatten)
  case transpose(Transpose)
  case squeeze(Squeeze)
  case unsqueeze(Unsqueeze)
  case expand(Expand)
  case tile(Tile)
  case shapeOf(ShapeOf)
  case size(Size)
  case constantOfShape(ConstantOfShape)
  case range(NumberRange)
  case pad(Pad)
  case reduce(Reduce)
  case argumentExtremum(ArgumentExtremum)
  case softmax(Softmax)
  case resize(Resize)
  case topK(TopK)
  case cumulativeSum(CumulativeSum)
  case gatherElements(GatherElements)
  case gatherND(GatherND)
  case scatterElements(ScatterElements)
  case scatterND(ScatterND)
  case bitwise(Bitwise)
  case maximumIndices(MaximumIndices)
  case identity(Identity)
  case binarize(Binarize)
  case binaryConvolution(BinaryConvolution)
  case binaryPool(BinaryPool)
  case block(Block)

  public var definition: any Operator {
    switch self {
    case .convolution(let op): op
    case .transposedConvolution(let op): op
    case .gemm(let op): op
    case .matMul(let op): op
    case .batchNormalization(let op): op
    case .pool(let op): op
    case .elementwiseUnary(let op): op
    case .elementwiseBinary(let op): op
    case .comparison(let op): op
    case .logical(let op): op
    case .select(let op): op
    case .clip(let op): op
    case .cast(let op): op
    case .pRelu(let op): op
    case .concat(let op): op
    case .split(let op): op
    case .slice(let op): op
    case .gather(let op): op
    case .reshape(let op): op
    case .flatten(let op): op
    case .transpose(let op): op
    case .squeeze(let op): op
    case .unsqueeze(let op): op
    case .expand(let op): op
    case .tile(let op): op
    case .shapeOf(let op): op
    case .size(let op): op
    case .constantOfShape(let op): op
    case .range(let op): op
    case .pad(let op): op
    case .reduce(let op): op
    case .argumentExtremum(let op): op
    case .softmax(let op): op
    case .resize(let op): op
    case .topK(let op): op
    case .cumulativeSum(let op): op
    case .gatherElements(let op): op
    case .gatherND(let op): op
    case .scatterElements(let op): op
    case .scatterND(let op): op
    case .bitwise(let op): op
    case .maximumIndices(let op): op
    case .identity(let op): op
    case .binarize(let op): op
    case .binaryConvolution(let op): op
    case .binaryPool(let op): op
    case .block(let op): op
    }
  }
}
