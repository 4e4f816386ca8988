import BNNFormat
import BNNTensor
import BNNTestSupport
import CAllocationCounter
import Testing

@testable import BNNRuntime

/// That runs after the first allocate nothing.
@Suite(.enabled(if: allocation_counter_works(), "needs the GNU C library"))
struct AllocationTests {
  @Test func counterCounts() {
    let before = allocation_count()
    let list = [Int](repeating: before, count: Int.random(in: 100...200))
    #expect(allocation_count() > before)
    #expect(list.count >= 100)
  }

  @Test(arguments: [1, 2, 5]) func laterRunsAllocateNothing(batch: Int) throws {
    var random = SeededGenerator(seed: batch)
    func inputs() -> [String: Tensor] {
      ["x": Tensor(random.integers(batch * 108), shape: [batch, 3, 6, 6])]
    }
    let session = try InferenceSession(SessionTests.network(.batch(1)))
    // Two slices of several, so that plans of different sizes take turns.
    session.arenaTarget = 40_000
    var results = try session.run(inputs())
    for _ in 0..<2 {
      let next = inputs()
      #expect(try session.countAllocations(next, into: &results) == 0)
      #expect(try results.map(\.tensor) == session.run(next).map(\.tensor))
    }
  }

  /// Results that something else holds stay what they are.
  @Test func heldResultsAreCopied() throws {
    let session = try InferenceSession(SessionTests.network(.batch(1)))
    var random = SeededGenerator(seed: 3)
    let first = ["x": Tensor(random.integers(108), shape: [1, 3, 6, 6])]
    let second = ["x": Tensor(random.integers(216), shape: [2, 3, 6, 6])]
    var results = try session.run(first)
    let held = results
    let expected = held.map(\.tensor.floats)
    try session.run(first, into: &results)
    try session.run(second, into: &results)
    #expect(held.map(\.tensor.floats) == expected)
    #expect(try results.map(\.tensor) == session.run(second).map(\.tensor))
  }
}

extension InferenceSession {
  /// How often a run with these results allocates on the calling thread; 0 where that is unknown.
  func countAllocations(
    _ inputs: [String: Tensor], into results: inout [(name: String, tensor: Tensor)]
  ) throws -> Int {
    let before = allocation_count()
    try run(inputs, into: &results)
    return Int(allocation_count() - before)
  }
}
