import BNNKit
import Testing

@testable import BNNCommandLine

@Suite struct ArgumentTests {
  @Test func inputShapes() {
    #expect(InputShape(argument: "1,3,224,224")?.dimensions == [1, 3, 224, 224])
    #expect(InputShape(argument: "1,3")?.name == nil)
    #expect(InputShape(argument: "N,?,8")?.dimensions == [nil, nil, 8])
    #expect(InputShape(argument: "a=b=4")?.name == "a=b")
    for wrong in ["", "1,", "x", "0", "-1,3", "a=", "1 ,2"] {
      #expect(InputShape(argument: wrong) == nil, "\(wrong)")
    }
  }

  @Test func filesFindTheirNames() throws {
    func resolve(_ arguments: [String], _ names: [String]) throws -> [String: String] {
      try NamedFiles(option: "--input", arguments: arguments).resolved(for: names)
    }
    #expect(try resolve([], ["x"]) == [:])
    #expect(try resolve(["a.npy"], ["x"]) == ["x": "a.npy"])
    #expect(try resolve(["x=a.npy"], ["x"]) == ["x": "a.npy"])
    #expect(try resolve(["dir=1/a.npy"], ["dir"]) == ["dir": "1/a.npy"])
    #expect(try resolve(["./d=1/a.npy"], ["x"]) == ["x": "./d=1/a.npy"])
    #expect(try resolve(["x=1=a.npy"], ["x", "x=1"]) == ["x=1": "a.npy"])
    #expect(try resolve(["y=b", "x=a"], ["x", "y"]) == ["x": "a", "y": "b"])

    func message(_ arguments: [String], _ names: [String]) -> CommandError? {
      #expect(throws: CommandError.self) { _ = try resolve(arguments, names) }
    }
    let unnamed = message(["a.npy"], ["x", "y"])
    #expect(unnamed?.status == .usage)
    #expect(unnamed?.message.contains("'x', 'y'") == true)
    #expect(message(["z=a.npy"], ["x", "y"])?.message.contains("'x', 'y'") == true)
    #expect(message(["z=a.npy"], ["x"])?.status == .usage)
    #expect(message(["x=a", "x=b"], ["x"])?.status == .usage)
  }

  @Test func suffixes() {
    #expect(FilePath.suffix(of: "a/b.ONNX") == "onnx")
    #expect(FilePath.suffix(of: "a.b/c") == "")
    #expect(FilePath.suffix(of: "") == "")
    #expect(FilePath.folder(of: "a/b/c.bnn") == "a/b")
    #expect(FilePath.folder(of: "c.bnn") == ".")
    #expect(FilePath.folder(of: "/c.bnn") == "/")
  }

  @Test func tablesLineUp() {
    var table = TextTable([("name", .left), ("bytes", .right)])
    table.add(["a", "1,000"])
    table.add(["longer", ""])
    #expect(table.text == "name    bytes\na       1,000\nlonger\n")
  }

  @Test func numbers() {
    #expect(Formatting.grouped(0) == "0")
    #expect(Formatting.grouped(-1_234_567) == "-1,234,567")
    #expect(Formatting.grouped(100) == "100")
    #expect(Formatting.percent(1, of: 8) == "12.50 %")
    #expect(Formatting.percent(0, of: 0) == "-")
  }

  @Test func latencies() {
    let ten = Latency([5, 1, 4, 2, 3, 6, 10, 8, 9, 7])
    #expect(ten.min == 1 && ten.median == 5.5 && ten.p90 == 9)
    let one = Latency([3])
    #expect(one.min == 3 && one.median == 3 && one.p90 == 3)
  }

  @Test func accuracyCountsTheFirstLargestScore() throws {
    let scores = NamedTensor(
      name: "y", tensor: Tensor([0, 1, 1, 5, 0, 5, 2, 2, 2, 1, 2, 3], shape: [4, 3]))
    let labels = Tensor([1, 0, 1, -1] as [Int64], shape: [4])
    let accuracy = try Accuracy(scores: [scores], labels: labels, labelFile: "l.npy")
    #expect(accuracy.right == 2 && accuracy.images == 3)
    #expect(throws: CommandError.self) {
      _ = try Accuracy(scores: [scores, scores], labels: labels, labelFile: "l.npy")
    }
  }
}

@Suite struct ComparisonTests {
  private func compare(_ found: Tensor?, _ expected: Tensor) -> OutputComparison {
    OutputComparison(
      set: "s", name: "y", found: found, expected: expected, relative: 1e-3, absolute: 1e-7)
  }

  @Test func realNumbersMatchWithinTheTolerance() {
    let expected = Tensor([1, 100, 0, .nan, .infinity] as [Float], shape: [5])
    #expect(compare(expected, expected).mismatches == 0)
    let near = Tensor([1.0009, 100.09, 5e-8, .nan, .infinity] as [Float], shape: [5])
    #expect(compare(near, expected).mismatches == 0)
    let far = Tensor([1.002, 100.2, 2e-7, 0, -.infinity] as [Float], shape: [5])
    #expect(compare(far, expected).mismatches == 5)
    #expect(compare(far, expected).maximumError == .infinity)
  }

  @Test func integersMatchWhenEqual() {
    let expected = Tensor([1, 1_000_000] as [Int64], shape: [2])
    #expect(compare(expected, expected).mismatches == 0)
    #expect(compare(Tensor([1, 1_000_001] as [Int64], shape: [2]), expected).mismatches == 1)
  }

  @Test func typeAndShapeHaveToMatch() {
    let expected = Tensor([1, 2] as [Float], shape: [2])
    #expect(compare(nil, expected).mismatches > 0)
    #expect(compare(expected.reshaped(to: [1, 2]), expected).mismatches > 0)
    #expect(compare(Tensor([1, 2] as [Int64], shape: [2]), expected).mismatches > 0)
    let empty = Tensor([] as [Float], shape: [0])
    #expect(compare(Tensor([] as [Int64], shape: [0]), empty).mismatches > 0)
  }
}
