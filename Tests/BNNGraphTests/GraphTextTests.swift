import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct GraphTextTests {
  @Test func oneLinePerNode() throws {
    var graph = Graph(name: "net")
    let x = graph.addInput(
      name: "x", type: ValueType(.float32, [.batch(1), .fixed(2), .fixed(4), .fixed(4)]))
    let w = graph.addConstant(
      Tensor(PackedTensor(shape: [1, 1, 1, 2]) { $0 == 1 }), name: "w")
    let geometry = ConvolutionGeometry(
      window: WindowGeometry(kernel: [1, 1], strides: [2, 2], padsBegin: [1, 0]))
    let sums = graph.add(
      .binaryConvolution(BinaryConvolution(geometry: geometry)), name: "conv", inputs: [x, w])
    let zero = graph.addConstant(Tensor(scalar: 0), name: "zero")
    let clip = graph.add(.clip(Clip()), name: "clip", inputs: [sums, nil, zero])
    graph.outputs = [clip]
    try graph.inferTypes()
    #expect(
      graph.description == """
        graph "net" (%x: float32[N,2,4,4])
          %w: sign[1,1,1,2] = [-,+]
          %zero: float32[] = [0.0]
          %conv: float32[N,1,3,2] = BinaryConvolution(%x, %w) {kernel=[1,1], strides=[2,2], \
        dilations=[1,1], padsBegin=[1,0], padsEnd=[0,0], groups=1, padding=zero} "conv"
          %clip: float32[N,1,3,2] = Clip(%conv, _, %zero) "clip"
          return %clip

        """)
  }

  @Test func doubleAndEmptyNamesGetNumbers() {
    var graph = Graph()
    let x = graph.addInput(name: "a", type: ValueType(.bool, [1] as Shape))
    let y = graph.add(.logical(Logical(kind: .not)), name: "a", inputs: [x])
    graph.outputs = [graph.add(.identity(Identity()), name: "", inputs: [y])]
    #expect(
      graph.description == """
        graph "" (%a#0: bool[1])
          %a#1: ? = Not(%a#0) "a"
          %#2: ? = Identity(%a#1) ""
          return %#2

        """)
  }

  private func line(_ op: Op) -> String {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: ValueType(.float32, []))
    _ = graph.add(op, name: "n", inputs: [x])
    return String(graph.description.split(separator: "\n")[1].dropFirst("  %n: ? = ".count))
  }

  @Test func attributesOfEveryKind() {
    #expect(line(.elementwiseUnary(ElementwiseUnary(function: .relu))) == #"Relu(%x) "n""#)
    #expect(
      line(.elementwiseUnary(ElementwiseUnary(function: .leakyRelu(alpha: 0.5))))
        == #"LeakyRelu(%x) {alpha=0.5} "n""#)
    #expect(line(.cast(Cast(to: .int8))) == #"Cast(%x) {to=int8} "n""#)
    #expect(
      line(.shapeOf(ShapeOf(start: 1))) == #"Shape(%x) {start=1} "n""#)
    #expect(
      line(.constantOfShape(ConstantOfShape(value: integers([7]))))
        == #"ConstantOfShape(%x) {value=[7]} "n""#)
    #expect(
      line(.pool(Pool(kind: .average(countPadding: true), window: WindowGeometry(kernel: [2]))))
        == #"AveragePool(%x) {countPadding=true, kernel=[2], strides=[1], dilations=[1], "#
        + #"padsBegin=[0], padsEnd=[0], ceiling=false, isGlobal=false} "n""#)
    #expect(
      line(.transpose(Transpose(permutation: Array(0..<9))))
        == #"Transpose(%x) {permutation=[0,1,2,3,4,5,6,7,… 9]} "n""#)
  }

  @Test func blocks() {
    let block = Block(
      core: .pointwise,
      epilogue: Epilogue(
        steps: [
          .affine(scale: [2], bias: [-1]), .function(.relu), .add(operand: 0),
          .clamp(lower: -1, upper: 1),
        ], output: .bits(.zeroIsPlus)))
    #expect(
      line(.block(block))
        == #"Block(%x) {core=pointwise, steps=[affine(scale=[2.0], bias=[-1.0]),"#
        + #"function(relu),add(operand=0),clamp(lower=-1.0, upper=1.0)], output=bits, "#
        + #"lower=[0.0], upper=[inf], insideIsPlus=[true]} "n""#)
  }
}
