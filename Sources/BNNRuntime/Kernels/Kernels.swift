import CBNNKernels

/// The chosen kernel of each family.
///
/// Only the files of this folder call into `CBNNKernels`; everything else speaks of kernels through
/// them.
struct Kernels {
  let binaryProduct: BinaryProductKernel
  let bitSlices: BitSliceKernel
  let floatProduct: FloatProductKernel
  let winograd: WinogradKernel
  let byteProduct: ByteProductKernel
  let pointwise: PointwiseKernel
  let epilogue: EpilogueKernel
  let gather: GatherKernel
  let windowPool: WindowPoolKernel
  let bits: BitKernel

  fileprivate init(isa: bnn_isa) {
    binaryProduct = BinaryProductKernel(bnn_bgemm_best(isa))
    bitSlices = BitSliceKernel(bnn_bslice_best(isa))
    floatProduct = FloatProductKernel(bnn_fgemm_best(isa))
    winograd = WinogradKernel(bnn_winograd_best(isa))
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
    [
      binaryProduct.name, bitSlices.name, floatProduct.name, winograd.name, byteProduct.name,
      pointwise.name, epilogue.name, gather.name, windowPool.name, bits.name,
    ]
  }
}
