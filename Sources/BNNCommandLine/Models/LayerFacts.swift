import BNNKit

/// What a layer of a `.bnn` is, for tables: sizes and operations of one image.
struct LayerFacts: Encodable {
  var name: String
  /// "binary" where the layer works on bits, "float" where it works on real values.
  var kind: String
  var operation: String
  /// Why a layer with weights is not binary.
  var reason: String?
  var outputs: [String]
  /// Weights and all other stored numbers.
  var parameters: Int
  var weights: Int
  var bitsPerWeight: Double?
  var binaryMACs: Int
  var floatMACs: Int
  /// In the file; 0 until ``add(_:at:)``.
  var bytes = 0
  var coding: String?
  var isEntropyCoded: Bool?
  var entropyPerWeight: Double?
}

extension LayerFacts {
  init(_ layer: Layer, of model: BinaryModel) {
    name = layer.name
    operation = layer.operation.title
    outputs = layer.outputs.map { Port(model.values[$0]).typeText }
    binaryMACs = 0
    floatMACs = 0
    parameters = layer.operation.epilogue.map(\.parameterCount) ?? 0
    weights = 0
    let worksOnBits = layer.inputs.first.map { model.values[$0].elementType == .sign } ?? false
    kind = worksOnBits ? "binary" : "float"
    let outputCount = layer.outputs.first.map { model.values[$0].countOfOne } ?? 0
    switch layer.operation {
    case .binaryConvolution(_, let weights, _):
      binaryMACs = outputCount * weights.shape.dimensions.dropFirst().reduce(1, *)
      self.weights = weights.count
    case .convolution(_, .signs(let weights), _):
      floatMACs = outputCount * weights.shape.dimensions.dropFirst().reduce(1, *)
      self.weights = weights.count
      reason = "its input is real-valued"
    case .convolution(_, .float32(let weights, let shape), _):
      floatMACs = outputCount * shape.dimensions.dropFirst().reduce(1, *)
      self.weights = weights.count
      reason = "its weights are real-valued"
    case .quantizedConvolution(_, let weights, _, _):
      floatMACs = outputCount * weights.shape.dimensions.dropFirst().reduce(1, *)
      self.weights = weights.shape.count
      reason = "its weights are real-valued, stored as bytes"
    case .array(let operation):
      floatMACs = operation.products(of: layer, in: model)
      if case .constant(let tensor) = operation { parameters = tensor.count }
    default: break
    }
    parameters += weights
  }

  /// Adds what the layer takes in a file.
  mutating func add(_ summary: FileSummary, at index: Int) {
    bytes = summary.layers[index].bytes
    guard let stored = summary.weights(of: index) else { return }
    coding = stored.title
    isEntropyCoded = stored.isEntropyCoded
    entropyPerWeight = stored.entropyPerElement
    bitsPerWeight = stored.bitsPerElement
  }
}

extension Port {
  var typeText: String { "\(elementType.rawValue) \(shapeText)" }
}

extension ModelValue {
  /// Elements for a batch of one.
  var countOfOne: Int { dimensions.shape(batch: 1).count }
}

extension Operation {
  var title: String {
    switch self {
    case .binaryConvolution(let geometry, _, _):
      geometry.window.spatialRank == 0 ? "binary dense" : "binary convolution"
    case .convolution(let geometry, _, _):
      geometry.window.spatialRank == 0 ? "dense" : "convolution"
    case .quantizedConvolution(let geometry, _, _, _):
      geometry.window.spatialRank == 0 ? "int8 dense" : "int8 convolution"
    case .pool(.maximum, _, _, _): "maximum pool"
    case .pool(.average, _, _, _): "average pool"
    case .binaryPool: "binary pool"
    case .pointwise: "pointwise"
    case .concatenate: "concatenate"
    case .reshape: "reshape"
    case .transpose: "transpose"
    case .softmax(_, let logarithm): logarithm ? "log softmax" : "softmax"
    case .reduce: "reduce"
    case .unpack: "unpack"
    case .signProduct: "product of signs"
    case .array(let operation): operation.title
    }
  }
}

extension ArrayOperation {
  fileprivate var title: String {
    switch self {
    case .constant: "constant"
    case .elementwise(let function): function.title
    case .cast(let type): "cast to \(type.rawValue)"
    case .slice: "slice"
    case .pad(let mode, _, _): mode == .constant ? "pad" : "\(mode.rawValue) pad"
    case .gather: "gather"
    case .expand: "expand"
    case .matrixProduct: "matrix product"
    case .convolution: "convolution by operand"
    case .transposedConvolution: "transposed convolution"
    case .argumentExtremum(let isMaximum, _, _, _):
      isMaximum ? "place of maximum" : "place of minimum"
    case .topK(_, _, let largest): largest ? "largest elements" : "smallest elements"
    case .cumulativeSum: "cumulative sum"
    case .gatherElements: "gather elements"
    case .gatherND: "gather places"
    case .scatterElements: "scatter elements"
    case .scatterND: "scatter places"
    case .maximumIndices: "places of window maxima"
    case .resample: "resample"
    }
  }
}

extension ElementwiseFunction {
  fileprivate var title: String {
    switch self {
    case .comparison(.lessOrEqual): "less or equal"
    case .comparison(.greaterOrEqual): "greater or equal"
    case .bitwise(.shiftLeft): "shift left"
    case .bitwise(.shiftRight): "shift right"
    case .bitwise(let function): "bitwise \(function)"
    default: name
    }
  }
}

extension Epilogue {
  var parameterCount: Int {
    let thresholds =
      switch output {
      case .values: 0
      case .bits(let thresholds), .valuesAndBits(let thresholds): thresholds.count
      case .accumulatorBits(let thresholds): thresholds.count
      }
    return steps.reduce(thresholds) { count, step in
      switch step {
      case .affine(let scale, let bias): count + scale.count + bias.count
      case .slopes(let positive, let negative): count + positive.count + negative.count
      case .clamp: count + 2
      case .function, .add, .multiply: count
      }
    }
  }
}
