import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let products: [String: OnnxOperator] = [
    "Gemm": OnnxOperator(2...3, build: gemm),
    "MatMul": OnnxOperator(2...2) { (node) throws(ImportFault) in
      try node.emit(.matMul(MatMul()), node.inputs)
    },
  ]

  private static func gemm(_ node: NodeBuilder) throws(ImportFault) {
    if node.operatorSet < 7 { node.ignore("broadcast") }
    let gemm = Gemm(
      alpha: try node.float("alpha") ?? 1, beta: try node.float("beta") ?? 1,
      transposeA: try node.flag("transA"), transposeB: try node.flag("transB"))
    try node.emit(.gemm(gemm), node.inputs)
  }
}
