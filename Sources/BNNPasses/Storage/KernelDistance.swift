/// How far the 512 kernels of 3×3 signs are from each other.
///
/// The distance of k and k′ is (k − k′)ᵀ H (k − k′) for a positive semidefinite H of 9×9: the mean
/// square by which a sum changes when inputs with the second moments H meet the one kernel instead
/// of the other. With H = 1, which inputs of independent taps have, it is four times the Hamming
/// distance.
struct KernelDistance {
  static let taps = 9
  static let kernels = 1 << taps

  /// kᵀ H for each kernel, tap by tap.
  private let projected: [Float]
  /// kᵀ H k for each kernel.
  let energies: [Float]

  /// - Parameter moments: H, row by row.
  init(moments: [Float]) {
    var projected: [Float] = []
    projected.reserveCapacity(KernelDistance.kernels * KernelDistance.taps)
    var energies: [Float] = []
    for kernel in 0..<KernelDistance.kernels {
      var energy: Float = 0
      for column in 0..<KernelDistance.taps {
        var sum: Float = 0
        for row in 0..<KernelDistance.taps {
          let moment = moments[row * KernelDistance.taps + column]
          sum += kernel >> row & 1 == 1 ? moment : -moment
        }
        projected.append(sum)
        energy += kernel >> column & 1 == 1 ? sum : -sum
      }
      energies.append(energy)
    }
    self.projected = projected
    self.energies = energies
  }

  /// That of independent taps.
  static let independent = KernelDistance(
    moments: (0..<81).map { $0 % 10 == 0 ? 1 : 0 })

  func callAsFunction(_ a: Int, _ b: Int) -> Float {
    var product: Float = 0
    for tap in 0..<KernelDistance.taps {
      let sum = projected[a * KernelDistance.taps + tap]
      product += b >> tap & 1 == 1 ? sum : -sum
    }
    return energies[a] + energies[b] - 2 * product
  }

  /// The member of a codebook that is nearest to a kernel; the first of equally near ones.
  func nearest(to kernel: Int, in codebook: [Int]) -> Int {
    var best = (kernel: codebook[0], distance: Float.infinity)
    for candidate in codebook {
      let distance = self(kernel, candidate)
      if distance < best.distance { best = (candidate, distance) }
    }
    return best.kernel
  }
}
