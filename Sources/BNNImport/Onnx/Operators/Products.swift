import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let products: [String: OnnxOperator] = [
    "Gemm": OnnxOperator(2...3, build: gemm),
    "MatMul": OnnxOperator(2...2) { $0.emit(.matMul(MatMul()), $0.inputs) },
  ]

  private static func gemm(_ node: NodeBuilder) throws(ImportFault) {
    ignoreOldBroadcast(node)
    let gemm = Gemm(
      alpha: try node.float("alpha") ?? 1, beta: try node.float("beta") ?? 1,
      transposeA: try node.flag("transA"), transposeB: try node.flag("transB"))
    node.emit(.gemm(gemm), node.inputs)
  }
}
