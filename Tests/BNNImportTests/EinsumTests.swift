import BNNGraph
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNImport

/// Equations against sums over all indices of all axes.
@Suite struct EinsumTests {
  /// Runs the equation on operands that are model inputs, without an open extent.
  private func run(_ equation: String, _ operands: [Tensor]) throws -> Tensor {
    let names = operands.indices.map { "x\($0)" }
    let model = try importModel(
      Sample.model(
        nodes: [
          Sample.node(
            "Einsum", names, ["y"], attributes: [Sample.attribute("equation", string: equation)])
        ],
        inputs: zip(names, operands).map { name, tensor in
          Sample.input(name, tensor.shape.dimensions.map { Int64($0) })
        }))
    return try #require(
      try model.run(Dictionary(uniqueKeysWithValues: zip(names, operands))))
  }

  /// - Parameters:
  ///   - terms: the axes of each operand, spelled out.
  private func expected(_ terms: [String], _ output: String, _ operands: [Tensor]) -> Tensor {
    var extents: [Character: Int] = [:]
    for (term, tensor) in zip(terms, operands) {
      for (axis, extent) in zip(term, tensor.shape.dimensions) {
        extents[axis] = max(extents[axis] ?? 1, extent)
      }
    }
    let axes = extents.keys.sorted()
    let shape = Shape(output.map { extents[$0] ?? 1 })
    var sums = [Double](repeating: 0, count: shape.count)
    let all = Shape(axes.map { extents[$0] ?? 1 })
    for number in 0..<all.count {
      let index = zip(all.strides, all.dimensions).map { number / $0 % $1 }
      let at = Dictionary(uniqueKeysWithValues: zip(axes, index))
      func place(_ term: String, _ shape: Shape) -> Int {
        zip(zip(term, shape.dimensions), shape.strides)
          .reduce(0) { $0 + ($1.0.1 == 1 ? 0 : (at[$1.0.0] ?? 0) * $1.1) }
      }
      let product = zip(terms, operands).reduce(1.0) { product, operand in
        product * Double(operand.1.floats[place(operand.0, operand.1.shape)])
      }
      sums[place(output, shape)] += product
    }
    return Tensor(sums.map { Float($0) }, shape: shape)
  }

  struct Case: Sendable {
    var equation: String
    var shapes: [[Int]]
    /// The same without an ellipsis or an implicit output.
    var terms: [String]
    var output: String
  }

  static let cases = [
    Case(equation: "ij->ji", shapes: [[2, 3]], terms: ["ij"], output: "ji"),
    Case(equation: "ba", shapes: [[2, 3]], terms: ["ba"], output: "ab"),
    Case(equation: "ij->", shapes: [[2, 3]], terms: ["ij"], output: ""),
    Case(equation: "iij->ji", shapes: [[3, 3, 2]], terms: ["iij"], output: "ji"),
    Case(equation: "iii->i", shapes: [[3, 3, 3]], terms: ["iii"], output: "i"),
    Case(equation: "...ii->...i", shapes: [[2, 4, 3, 3]], terms: ["abii"], output: "abi"),
    Case(equation: "ij,jk", shapes: [[2, 3], [3, 4]], terms: ["ij", "jk"], output: "ik"),
    Case(equation: "i,i->", shapes: [[5], [5]], terms: ["i", "i"], output: ""),
    Case(equation: "i,j->ij", shapes: [[2], [3]], terms: ["i", "j"], output: "ij"),
    Case(
      equation: "bci,bcj->bij", shapes: [[2, 3, 4], [2, 3, 5]], terms: ["bci", "bcj"],
      output: "bij"),
    Case(
      equation: " b q h d , b k h d -> b h q k ", shapes: [[2, 4, 3, 5], [2, 6, 3, 5]],
      terms: ["bqhd", "bkhd"], output: "bhqk"),
    Case(
      equation: "...ij,...jk->...ik", shapes: [[2, 1, 2, 3], [4, 3, 5]], terms: ["ABij", "Bjk"],
      output: "ABik"),
    Case(
      equation: "abkl,ckl->ca", shapes: [[2, 3, 4, 5], [6, 4, 5]], terms: ["abkl", "ckl"],
      output: "ca"),
    Case(
      equation: "ij,jk,kl->il", shapes: [[2, 3], [3, 4], [4, 5]], terms: ["ij", "jk", "kl"],
      output: "il"),
    Case(
      equation: "ab,cd,ac->bd", shapes: [[2, 3], [4, 5], [2, 4]], terms: ["ab", "cd", "ac"],
      output: "bd"),
    Case(equation: "...,...->...", shapes: [[2, 3], [3]], terms: ["ab", "b"], output: "ab"),
  ]

  @Test(arguments: cases) func sumsOfProducts(_ own: Case) throws {
    var random = SeededGenerator(seed: 7)
    let operands = own.shapes.map { dimensions in
      Tensor(
        (0..<dimensions.reduce(1, *)).map { _ in Float(Int.random(in: -4...4, using: &random)) },
        shape: Shape(dimensions))
    }
    let found = try run(own.equation, operands)
    let wanted = expected(own.terms, own.output, operands)
    #expect(found.shape == wanted.shape, "\(own.equation)")
    #expect(found.floats == wanted.floats, "\(own.equation)")
  }

  @Test(arguments: [
    "ij,jk->ik", "i->i", "ij->ii", "ij->ijk", "i j k->", "ij-ji", "ij>ji", "i1->i", "..j...->j",
    "....->", "ij->->i", "",
  ])
  func equationsThatAreNone(_ equation: String) {
    #expect(throws: ImportError.self) {
      _ = try run(equation, [Tensor([Float](repeating: 1, count: 6), shape: [2, 3])])
    }
  }
}
