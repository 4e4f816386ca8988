/// The few kernels that stand for all of a layer.
struct KernelCodebook {
  /// Ascending.
  private(set) var kernels: [Int]

  /// Chooses kernels for which the sum of weight · distance to the nearest chosen one is small: first
  /// the heaviest, then k-medoids (each cluster's best kernel takes its place) until nothing moves.
  /// The result is never worse than the heaviest kernels.
  ///
  /// - Parameters:
  ///   - weights: of each of the 512 kernels: how often it occurs, times the square of the scale
  ///     of what it adds to.
  ///   - limit: at least 1.
  init(weights: [Double], limit: Int, distance: KernelDistance) {
    let present = weights.indices.filter { weights[$0] > 0 }
      .sorted { (-weights[$0], $0) < (-weights[$1], $1) }
    kernels = present.prefix(limit).sorted()
    guard present.count > limit else { return }
    let table = present.map { kernel in
      (0..<KernelDistance.kernels).map { distance(kernel, $0) }
    }
    // Every round lowers a sum of which there are finitely many values; rounding cannot cycle for
    // long.
    for _ in 0..<100 {
      let moved = medoids(of: clusters(present, table), present.map { weights[$0] }, table)
      guard moved != kernels else { break }
      kernels = moved
    }
  }

  /// For each chosen kernel, the positions in `present` of those that it stands for.
  private func clusters(_ present: [Int], _ table: [[Float]]) -> [[Int]] {
    var clusters = [[Int]](repeating: [], count: kernels.count)
    for position in present.indices {
      var best = 0
      for (index, kernel) in kernels.enumerated()
      where table[position][kernel] < table[position][kernels[best]] {
        best = index
      }
      clusters[best].append(position)
    }
    return clusters
  }

  /// For each cluster the kernel, of all 512, with the smallest cost; its own where it is as good.
  private func medoids(
    of clusters: [[Int]], _ weights: [Double], _ table: [[Float]]
  ) -> [Int] {
    var chosen = Set(kernels)
    for (index, cluster) in clusters.enumerated() where !cluster.isEmpty {
      let cost = { (kernel: Int) in
        cluster.reduce(0.0) { $0 + weights[$1] * Double(table[$1][kernel]) }
      }
      var best = (kernel: kernels[index], cost: cost(kernels[index]))
      for kernel in 0..<KernelDistance.kernels where !chosen.contains(kernel) {
        let other = cost(kernel)
        if other < best.cost { best = (kernel, other) }
      }
      chosen.remove(kernels[index])
      chosen.insert(best.kernel)
    }
    return chosen.sorted()
  }
}
