import BNNTensor
import Testing

@testable import BNNImport

/// Weights of a file that no output depends on.
@Suite struct UnreadWeightsTests {
  @Test func initializersOfUnusedBranchesAreListed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      Sample.model(
        nodes: [
          Sample.node("Add", ["x", "w"], ["y"]),
          // Nothing reads what this branch computes.
          Sample.node("Mul", ["x", "branch"], ["z"]),
        ],
        inputs: [Sample.input("x", [3])],
        initializers: [
          Sample.floats("w", [3], [1, 2, 3]), Sample.floats("branch", [3], [4, 5, 6]),
          Sample.floats("nobody", [2], [7, 8]), Sample.floats("one", [1], [9]),
        ]
      ).bytes)
    let model = try SourceModel(onnxFile: path)
    // A single number is no weight.
    #expect(
      model.unreadWeights == [.init(name: "branch", bytes: 12), .init(name: "nobody", bytes: 8)])
  }
}
