import ArgumentParser
import BNNKit

/// The options of `bnnconvert` that make files smaller at the cost of exactness.
struct StorageArguments: ParsableArguments {
  /// The options by any of which a conversion becomes lossy.
  static let names =
    "--float-storage, --vector-storage, --kernel-codebook, --layer or --binarize"

  @Option(
    help: ArgumentHelp(
      "What real weights become: float32 (exact); float16, bfloat16 or int8 (rounded); or "
        + "int8-compute (bytes, computed in integers).",
      valueName: "float32|float16|bfloat16|int8|int8-compute"))
  var floatStorage: FloatStorage = .float32

  @Option(
    help: ArgumentHelp(
      "What lists of one number per channel become: float32 (exact) or float16.",
      valueName: "float32|float16"))
  var vectorStorage: VectorStorage = .float32

  @Option(
    help: ArgumentHelp(
      "Replace the 3×3 binary kernels of each layer by the nearest of so many.",
      valueName: "1…512"))
  var kernelCodebook: Int?

  @Option(
    help: ArgumentHelp(
      "The same, by the bits that a kernel's index takes per weight: 0.56 is 32 kernels.",
      valueName: "0…1"))
  var bitsPerWeight: Double?

  @Option(
    help: ArgumentHelp(
      "For int8-compute with --calibration: the percentage of a layer's inputs that its bytes stand "
        + "for; 100 is from the smallest to the largest.", valueName: "50…100"))
  var percentile: Double = 100

  @Option(
    help: ArgumentHelp(
      "Storage of the layers whose names match: a float storage, vectors:STORAGE, kernels:N or "
        + "percentile:P; the first match decides. Repeat for several.",
      valueName: "regex=setting[,…]"))
  var layer: [String] = []

  func validate() throws {
    if let kernelCodebook, KernelLimit(text: "\(kernelCodebook)") == nil {
      throw ValidationError("--kernel-codebook: give a number from 1 to 512")
    }
    if let bitsPerWeight, KernelLimit(bitsPerWeight: bitsPerWeight) == nil {
      throw ValidationError("--bits-per-weight: give a number from 0 to 1")
    }
    guard kernelCodebook == nil || bitsPerWeight == nil else {
      throw ValidationError("--kernel-codebook and --bits-per-weight say the same: give one")
    }
    guard StorageOptions.percentiles.contains(percentile) else {
      throw ValidationError("--percentile: give a number from 50 to 100")
    }
    do {
      let options = try options()
      guard percentile == 100 || options.computesInIntegers else {
        throw ValidationError("--percentile is for int8-compute; add --float-storage int8-compute")
      }
    } catch let error as StorageError {
      throw ValidationError("--layer: \(error)")
    }
  }

  /// Whether the network may compute something else than the source.
  var isLossy: Bool { (try? options().isLossy) ?? false }

  func options() throws(StorageError) -> StorageOptions {
    var layers: [LayerStorage] = []
    for text in layer { layers.append(try LayerStorage(argument: text)) }
    var kernels = KernelLimit.all
    if let kernelCodebook { kernels = .most(kernelCodebook) }
    if let limit = bitsPerWeight.flatMap(KernelLimit.init(bitsPerWeight:)) { kernels = limit }
    return StorageOptions(
      weights: floatStorage, vectors: vectorStorage, kernels: kernels, percentile: percentile,
      layers: layers)
  }
}

extension FloatStorage: ExpressibleByArgument {}
extension VectorStorage: ExpressibleByArgument {}
