import BNNFormat

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What a layer did in a run, and how long it took.
public struct LayerTiming: Hashable, Sendable {
  public var name: String
  /// The operation: `binaryConvolution`, `convolution`, `pool` and so on.
  public var kind: String
  public var milliseconds: Double
  /// Multiply-accumulates on bits and on real values.
  public var binaryMACs: Int
  public var floatMACs: Int
  /// The kernel that does most of the work; empty where there is none.
  public var kernel: String
}

/// Adds up the layers' times over the slices of a run.
final class TimingRecorder {
  private(set) var timings: [LayerTiming]

  init(_ model: BinaryModel) {
    timings = model.layers.map {
      LayerTiming(
        name: $0.name, kind: $0.operation.kind, milliseconds: 0, binaryMACs: 0, floatMACs: 0,
        kernel: "")
    }
  }

  func record(layer: Int, nanoseconds: UInt64, _ work: StepWork) {
    timings[layer].milliseconds += Double(nanoseconds) / 1e6
    timings[layer].binaryMACs = TimingRecorder.sum(timings[layer].binaryMACs, work.binaryMACs)
    timings[layer].floatMACs = TimingRecorder.sum(timings[layer].floatMACs, work.floatMACs)
    timings[layer].kernel = work.kernel
  }

  private static func sum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? Int.max : sum
  }

  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

extension Operation {
  /// The name of the case.
  package var kind: String {
    switch self {
    case .binaryConvolution: "binaryConvolution"
    case .convolution: "convolution"
    case .quantizedConvolution: "quantizedConvolution"
    case .pool: "pool"
    case .binaryPool: "binaryPool"
    case .pointwise: "pointwise"
    case .concatenate: "concatenate"
    case .reshape: "reshape"
    case .transpose: "transpose"
    case .softmax: "softmax"
    case .reduce: "reduce"
    case .unpack: "unpack"
    case .signProduct: "signProduct"
    case .array(let operation): operation.kind
    }
  }
}

extension ArrayOperation {
  /// The name of the case; of an element by element function, its own.
  package var kind: String {
    switch self {
    case .constant: "constant"
    case .elementwise(let function): function.name
    case .cast: "cast"
    case .slice: "slice"
    case .pad: "pad"
    case .gather: "gather"
    case .expand: "expand"
    case .matrixProduct: "matrixProduct"
    case .convolution: "arrayConvolution"
    case .transposedConvolution: "transposedConvolution"
    case .argumentExtremum: "argumentExtremum"
    case .topK: "topK"
    case .cumulativeSum: "cumulativeSum"
    case .gatherElements: "gatherElements"
    case .gatherND: "gatherND"
    case .scatterElements: "scatterElements"
    case .scatterND: "scatterND"
    case .maximumIndices: "maximumIndices"
    case .resample: "resample"
    }
  }
}
