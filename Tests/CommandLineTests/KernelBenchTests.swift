import BNNKit
import Foundation
import Testing

@testable import BNNCommandLine

struct KernelBenchTests {
  private struct Document: Decodable {
    struct Timing: Decodable {
      var step: String
      var kernels: String
      var product: String
      var isChosen: Bool
      var gigaMACsPerSecond: Double
      var agrees: Bool
    }
    var schemaVersion: Int
    var kernelTimings: [Timing]
  }

  @Test func allKernelsAgree() throws {
    let run = try Command.run("bnnbench", ["--kernels", "all", "--runs", "1", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let document = try JSONDecoder().decode(Document.self, from: Data(run.output.utf8))
    #expect(document.schemaVersion == 1)
    #expect(Set(document.kernelTimings.map(\.step)).count == KernelBench.steps.count)
    #expect(document.kernelTimings.contains { $0.kernels == "scalar" })
    // Every design of every instruction set, and one choice for each step, result and set.
    let products = Set(document.kernelTimings.map(\.product))
    for name in try InferenceSession.binaryProducts(of: .best) { #expect(products.contains(name)) }
    let sets = Set(document.kernelTimings.map(\.kernels)).count
    let choices = document.kernelTimings.count { $0.isChosen }
    #expect(choices == KernelBench.steps.count * KernelBench.Result.allCases.count * sets)
    #expect(document.kernelTimings.allSatisfy { $0.agrees && $0.gigaMACsPerSecond > 0 })
  }

  @Test(arguments: [
    [], ["--kernels", "sse9"], ["--kernels", "all", "model.bnn"],
    ["--kernels", "scalar", "--layers"],
  ]) func wrongUsage(_ arguments: [String]) throws {
    let run = try Command.run("bnnbench", arguments)
    #expect(run.status == ExitStatus.usage.rawValue)
    #expect(!run.errors.isEmpty)
  }
}
