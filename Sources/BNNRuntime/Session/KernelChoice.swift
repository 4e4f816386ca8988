/// Which instruction set the kernels of a session use.
public enum KernelChoice: String, Sendable, CaseIterable {
  /// The best that the CPU runs, or what the environment variable `BNN_KERNELS` names.
  case best
  /// Portable C.
  case scalar
  /// AVX2 with FMA.
  case avx2
}
