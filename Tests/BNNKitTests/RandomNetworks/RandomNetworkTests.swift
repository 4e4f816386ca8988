import BNNKit
import Testing

/// Random small binary networks through passes, file and runtime.
///
/// To run one seed again: `#expect(RandomNetworkTests.failure(of: 1234) == nil)`. The message of a
/// failure ends with the smallest network that was found to fail in the same way.
struct RandomNetworkTests {
  /// Several tests, so that they run concurrently.
  @Test(arguments: 0..<16)
  func conversionKeepsTheFunction(_ part: UInt64) {
    for seed in part * 200..<(part + 1) * 200 {
      if let failure = RandomNetworkTests.failure(of: seed) { Issue.record("\(failure)") }
    }
  }

  /// What is wrong with a seed's network, and a smaller one in which the same is wrong.
  static func failure(of seed: UInt64) -> String? {
    let spec = NetworkSpec(seed: seed)
    guard let broken = NetworkProperties.broken(by: spec) else { return nil }
    let smallest = shrunk(spec, broken)
    return "seed \(seed): \(smallest.broken)\n\(smallest.spec)"
  }

  static func shrunk(_ seed: UInt64) -> NetworkSpec? {
    let spec = NetworkSpec(seed: seed)
    return NetworkProperties.broken(by: spec).map { shrunk(spec, $0).spec }
  }

  private static func shrunk(
    _ spec: NetworkSpec, _ broken: BrokenProperty
  ) -> (spec: NetworkSpec, broken: BrokenProperty) {
    var (spec, broken) = (spec, broken)
    var attempts = 0
    var isSmaller = true
    while isSmaller {
      isSmaller = false
      for candidate in spec.simpler where attempts < 400 {
        attempts += 1
        guard let next = NetworkProperties.broken(by: candidate),
          next.property == broken.property
        else { continue }
        (spec, broken, isSmaller) = (candidate, next, true)
        break
      }
    }
    return (spec, broken)
  }
}
