import CBNNKernels

/// The chosen kernel of each family.
///
/// Only the files of this folder call into `CBNNKernels`; everything else speaks of kernels through
/// them.
struct Kernels {
  /// All designs that the instruction set includes, best first.
  private(set) var binaryProducts: [BinaryProductKernel]
  /// nil where one design of products is asked for.
  private(set) var bitSlices: BitSliceKernel?
  let floatProduct: FloatProductKernel
  let winograd: WinogradKernel
  let byteProduct: ByteProductKernel
  let pointwise: PointwiseKernel
  let epilogue: EpilogueKernel
  let gather: GatherKernel
  let windowPool: WindowPoolKernel
  let bits: BitKernel

  fileprivate init(isa: bnn_isa) {
    binaryProducts = BinaryProductKernel.all { bnn_isa_includes(isa, $0) }
    bitSlices = BitSliceKernel(bnn_bslice_best(isa))
    floatProduct = FloatProductKernel(bnn_fgemm_best(isa))
    winograd = WinogradKernel(isa: isa)
    byteProduct = ByteProductKernel(bnn_igemm_best(isa))
    pointwise = PointwiseKernel(bnn_pointwise_best(isa))
    epilogue = EpilogueKernel(bnn_epilogue_best(isa))
    gather = GatherKernel(bnn_gather_best(isa))
    windowPool = WindowPoolKernel(bnn_windowpool_best(isa))
    bits = BitKernel(bnn_bits_best(isa))
  }

  /// The kernels of a choice, or nil when this CPU cannot run them.
  init?(_ choice: KernelChoice) {
    let isa: bnn_isa =
      switch choice {
      case .best: bnn_isa_best()
      case .scalar: BNN_ISA_SCALAR
      case .avx2: BNN_ISA_AVX2
      case .avx512: BNN_ISA_AVX512
      case .avx512vnni: BNN_ISA_AVX512_VNNI
      case .avx512vpopcntdq: BNN_ISA_AVX512_VPOPCNTDQ
      case .neon: BNN_ISA_NEON
      }
    guard bnn_isa_supported(isa) else { return nil }
    self.init(isa: isa)
  }

  /// Names in the order of the properties.
  var names: [String] {
    [binaryProducts[0].name, bitSlices?.name, floatProduct.name].compactMap(\.self)
      + winograd.names
      + [byteProduct.name, pointwise.name, epilogue.name, gather.name, windowPool.name, bits.name]
  }

  /// The same kernels, with one design for all binary products; nil where that is not among them.
  func with(binaryProduct name: String) -> Kernels? {
    var kernels = self
    kernels.binaryProducts = binaryProducts.filter { $0.name == name }
    kernels.bitSlices = nil
    return kernels.binaryProducts.isEmpty ? nil : kernels
  }

  /// The design that takes the fewest cycles by what was measured; the best of those that take the
  /// same. It depends on the shape and the limit alone, so that a model's plan is the same in every
  /// run.
  ///
  /// - Parameter limit: bytes that the weights may take; what takes the least where all take more.
  func binaryProduct(
    for shape: BinaryProductShape, weightBytes limit: Int = .max
  ) -> BinaryProductDesign {
    let designs = binaryProducts.flatMap { $0.designs(for: shape) }
    let least = designs.map(\.weightBytes).min() ?? 0
    let allowed = designs.filter { $0.weightBytes <= max(limit, least) }
    var best = allowed[0]
    for design in allowed.dropFirst() where design.cycles < best.cycles { best = design }
    return best.design
  }
}
