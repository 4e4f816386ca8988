import BNNGraph
import BNNTensor

/// Makes an explicit `Pad` of the spatial dimensions part of the convolution that reads it.
///
/// Before: `Conv(Pad(x, value))`, value 0; or value ±1 where x is a sign and the convolution has
/// no padding of its own.
/// After: `Conv(x)` that pads with the value.
public struct FoldPadding: Pass {
  public let name = "fold-padding"
  public let summary = "Makes explicit padding with -1, 0 or +1 part of the convolution."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .convolution(var convolution) = node.op, let padded = node.input(0),
        let padIndex = uses.producer(of: padded), case .pad(let pad) = graph.nodes[padIndex].op,
        pad.mode == .constant, let source = graph.nodes[padIndex].input(0),
        let (begin, end) = graph.spatialPads(of: graph.nodes[padIndex])
      else { continue }
      let value = graph.nodes[padIndex].input(2).map { graph.scalar($0) } ?? 0
      guard let value, let padding = ConvolutionGeometry.PaddingValue(exactly: value),
        convolution.geometry.window.spatialRank == begin.count
      else { continue }
      let hasOwn = convolution.geometry.window.hasPadding
      guard !hasOwn || convolution.geometry.padding == padding,
        padding == .zero || graph.isSign(source, uses)
      else { continue }
      for axis in begin.indices {
        convolution.geometry.window.padsBegin[axis] += begin[axis]
        convolution.geometry.window.padsEnd[axis] += end[axis]
      }
      if convolution.geometry.window.hasPadding { convolution.geometry.padding = padding }
      graph.nodes[index].op = .convolution(convolution)
      graph.nodes[index].inputs[0] = source
      outcome.rewrote(node, "took over the padding of '\(graph.nodes[padIndex].name)'")
    }
    return outcome
  }
}

extension ConvolutionGeometry.PaddingValue {
  fileprivate init?(exactly value: Float) {
    switch value {
    case 0: self = .zero
    case 1: self = .plusOne
    case -1: self = .minusOne
    default: return nil
    }
  }
}

extension Graph {
  /// What a `Pad` adds before and after each spatial dimension; nil when it pads others, removes,
  /// or is not constant.
  fileprivate func spatialPads(of node: Node) -> (begin: [Int], end: [Int])? {
    guard let x = node.input(0), let pads = constant(node.input(1))?.integers.map({ Int($0) })
    else { return nil }
    let rank = dimensions(x).count
    var axes = Array(0..<rank)
    if let given = node.input(3) {
      guard let listed = constant(given)?.integers else { return nil }
      axes = listed.map { Int($0) + ($0 < 0 ? rank : 0) }
    }
    guard rank >= 3, pads.count == 2 * axes.count, axes.allSatisfy((0..<rank).contains),
      pads.allSatisfy({ $0 >= 0 })
    else { return nil }
    var begin = [Int](repeating: 0, count: rank)
    var end = begin
    for (position, axis) in axes.enumerated() {
      begin[axis] = pads[position]
      end[axis] = pads[position + axes.count]
    }
    guard begin[0] == 0, begin[1] == 0, end[0] == 0, end[1] == 0 else { return nil }
    return (Array(begin.dropFirst(2)), Array(end.dropFirst(2)))
  }
}
