/// Which instruction set the kernels of a session use.
public enum KernelChoice: String, Sendable, CaseIterable {
  /// The best that the CPU runs, or what the environment variable `BNN_KERNELS` names.
  case best
  /// Portable C.
  case scalar
  /// AVX2 with FMA.
  case avx2
  /// AVX-512 F, BW, VL and DQ (Skylake-X).
  case avx512
  /// AVX-512 with byte products (Cascade Lake).
  case avx512vnni
  /// AVX-512 with population counts (Ice Lake, Zen 4).
  case avx512vpopcntdq
  /// NEON (AArch64).
  case neon

  /// The instruction sets of this CPU, the best last.
  public static var supported: [KernelChoice] {
    allCases.filter { $0 != .best && Kernels($0) != nil }
  }
}
