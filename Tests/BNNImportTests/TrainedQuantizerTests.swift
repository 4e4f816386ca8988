import BNNGraph
import BNNTensor
import Testing

@testable import BNNImport

/// The quantizers of QONNX, Brevitas and FINN, against values computed by hand from their
/// definitions.
@Suite struct TrainedQuantizerTests {
  /// Runs one quantizer on x [1, 2, 1, 4].
  private func run(
    _ op: String, _ x: [Float], domain: String = "qonnx.custom_op.general",
    constants: [([Int64], [Float])], attributes: [Message] = []
  ) throws -> [Float] {
    let names = constants.indices.map { "c\($0)" }
    let model = try importModel(
      Sample.model(
        nodes: [Sample.node(op, ["x"] + names, ["y"], domain: domain, attributes: attributes)],
        inputs: [Sample.input("x", [1, 2, 1, 4])],
        initializers: zip(names, constants).map { Sample.floats($0, $1.0, $1.1) }))
    return try #require(try model.run(["x": Tensor(x, shape: [1, 2, 1, 4])])).floats
  }

  private let x: [Float] = [-2, -0.5, -0.0, 0, 0.25, 0.5, 1, 3]

  @Test(arguments: ["qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"])
  func `BipolarQuant is a scaled sign, +1 at zero`(domain: String) throws {
    let y = try run("BipolarQuant", x, domain: domain, constants: [([1], [0.125])])
    #expect(y == [-0.125, -0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125])
  }

  private func quant(
    bits: Float, scale: Float = 0.5, zero: Float = 0, signed: Bool = true, narrow: Bool = false,
    rounding: String = "ROUND"
  ) throws -> [Float] {
    try run(
      "Quant", x, constants: [([], [scale]), ([], [zero]), ([], [bits])],
      attributes: [
        Sample.attribute("signed", integer: signed ? 1 : 0),
        Sample.attribute("narrow", integer: narrow ? 1 : 0),
        Sample.attribute("rounding_mode", string: rounding),
      ])
  }

  @Test func `Quant rounds and clamps to its bits`() throws {
    #expect(try quant(bits: 1) == [-0.5, -0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    #expect(try quant(bits: 2) == [-1, -0.5, 0, 0, 0, 0.5, 0.5, 0.5])
    #expect(try quant(bits: 2, narrow: true) == [-0.5, -0.5, 0, 0, 0, 0.5, 0.5, 0.5])
    #expect(try quant(bits: 2, signed: false) == [0, 0, 0, 0, 0, 0.5, 1, 1.5])
    #expect(try quant(bits: 2, signed: false, narrow: true) == [0, 0, 0, 0, 0, 0.5, 1, 1])
    #expect(try quant(bits: 4, rounding: "FLOOR") == [-2, -0.5, 0, 0, 0, 0.5, 1, 3])
    #expect(try quant(bits: 4, rounding: "CEIL") == [-2, -0.5, 0, 0, 0.5, 0.5, 1, 3])
    // (x / 0.5 + 1) in 0 … 3, less 1.
    #expect(try quant(bits: 2, zero: 1, signed: false) == [-0.5, -0.5, 0, 0, 0.5, 0.5, 1, 1])
  }

  @Test func `What Quant cannot mean is refused`() {
    for (bits, rounding) in [(Float(0), "ROUND"), (33, "ROUND"), (.nan, "ROUND"), (2, "DITHER")] {
      let error = #expect(throws: ImportError.self) { try quant(bits: bits, rounding: rounding) }
      #expect(error?.category == .unsupported)
    }
  }

  @Test func `MultiThreshold counts thresholds`() throws {
    let one = try run(
      "MultiThreshold", x, domain: "finn.custom_op.general", constants: [([1, 1], [0.25])],
      attributes: [
        Sample.attribute("out_dtype", string: "BIPOLAR"),
        Sample.attribute("out_scale", float: 2), Sample.attribute("out_bias", float: -1),
      ])
    #expect(one == [-1, -1, -1, -1, 1, 1, 1, 1])
    let perChannel = try run(
      "MultiThreshold", x, constants: [([2, 2], [-1, 0, 0.5, 2])],
      attributes: [Sample.attribute("data_layout", string: "NCHW")])
    #expect(perChannel == [0, 1, 2, 2, 0, 1, 1, 2])
  }

  @Test func `Other operators of these domains are refused by name`() {
    let error = #expect(throws: ImportError.self) {
      try run("FloatQuant", x, constants: [([], [1])])
    }
    #expect(
      error?.category == .unsupported && "\(error.map { "\($0)" } ?? "")".contains("FloatQuant"))
  }
}
