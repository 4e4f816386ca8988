import BNNGraph
import BNNTensor

/// Writes transposed convolutions as convolutions with an output channel for each phase of the stride
/// (sub-pixel convolutions; Shi et al., 1609.07009).
///
/// Before: `ConvTranspose(x, w)` of stride s with constant weights.
/// After: `Conv(x, w′)` of stride 1 with s^d · O outputs, of which each has the taps of w that meet its
/// phase, behind it the phases are brought in their order (`Reshape`, `Transpose`, `Reshape`), and what
/// padding takes away is cut off (`Slice`). Taps that a phase has not are 0.
public struct DecomposeTransposedConvolutions: Pass {
  public let name = "decompose-transposed-convolutions"
  public let summary = "Writes transposed convolutions as convolutions to every phase."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard let phases = Phases(node, in: graph) else { continue }
      graph.replaceUses(of: node.outputs[0], with: phases.lower(node, in: &graph))
      outcome.rewrote(node, "became a convolution to \(phases.count) phases")
    }
    return outcome
  }
}

/// A transposed convolution along each spatial axis: result y adds w[k] · x[i] where
/// y + pad = stride · i + k. With y + pad = stride · q + r, phase r of place q has the taps
/// k = r + stride · j, which meet x[q − j].
private struct Phases {
  var geometry: ConvolutionGeometry
  var weights: Tensor
  var bias: Tensor?
  /// Extents of the input and the result.
  var input: [Int]
  var output: [Int]

  init?(_ node: Node, in graph: Graph) {
    guard case .transposedConvolution(let convolution) = node.op, let x = node.input(0),
      let weights = graph.constant(node.input(1)), weights.elementType == .float32,
      node.input(2) == nil || graph.constant(node.input(2)) != nil,
      let from = graph[x].type, let to = graph[node.outputs[0]].type
    else { return nil }
    func extents(_ type: ValueType) -> [Int]? {
      let fixed = type.dimensions.dropFirst(2).compactMap { dimension -> Int? in
        if case .fixed(let extent) = dimension { extent } else { nil }
      }
      return fixed.count == type.rank - 2 ? fixed : nil
    }
    let window = convolution.geometry.window
    // Where the stride is far larger than the kernel, most phases have no tap at all.
    guard let input = extents(from), let output = extents(to), (1...3).contains(input.count),
      window.dilations.allSatisfy({ $0 == 1 }), window.padsBegin.allSatisfy({ $0 >= 0 }),
      zip(window.strides, window.kernel).allSatisfy({ $0 <= max($1, 8) })
    else { return nil }
    (geometry, self.weights, self.bias) = (
      convolution.geometry, weights, graph.constant(node.input(2))
    )
    (self.input, self.output) = (input, output)
  }

  private var window: WindowGeometry { geometry.window }
  private var axes: Range<Int> { input.indices }
  var count: Int { window.strides.reduce(1, *) }
  /// Taps of a phase at most.
  private var taps: [Int] {
    axes.map { (window.kernel[$0] + window.strides[$0] - 1) / window.strides[$0] }
  }
  /// What is cut off at the beginning: with a stride of 1 padding does that.
  private var cut: [Int] { axes.map { isShiftable($0) ? 0 : window.padsBegin[$0] } }
  private func isShiftable(_ axis: Int) -> Bool {
    window.strides[axis] == 1 && window.padsBegin[axis] < window.kernel[axis]
  }
  /// Places of each phase: enough for the result, and no fewer than the input has.
  private var places: [Int] {
    axes.map { axis in
      let needed = output[axis] + cut[axis]
      let stride = window.strides[axis]
      let padding = taps[axis] - 1 - window.padsBegin[axis] + cut[axis]
      return max((needed + stride - 1) / stride, input[axis] + padding - taps[axis] + 1)
    }
  }

  func lower(_ node: Node, in graph: inout Graph) -> ValueID {
    let name = node.name
    let (taps, cut, places) = (taps, cut, places)
    let padsBegin = axes.map { taps[$0] - 1 - window.padsBegin[$0] + cut[$0] }
    let convolution = Convolution(
      geometry: ConvolutionGeometry(
        window: WindowGeometry(
          kernel: taps, padsBegin: padsBegin,
          padsEnd: axes.map { places[$0] + taps[$0] - 1 - input[$0] - padsBegin[$0] }),
        groups: geometry.groups))
    let operands = [
      node.inputs[0], graph.addConstant(phaseWeights, name: name + ".weight"),
      phaseBias.map { graph.addConstant($0, name: name + ".bias") },
    ]
    var value = graph.add(.convolution(convolution), name: name, inputs: operands)
    let (groups, perGroup) = (geometry.groups, weights.shape[1])
    if count > 1 {
      // [N, groups, phases…, outputs of a group, places…]
      let rank = axes.count
      let order = axes.flatMap { [rank + 3 + $0, 2 + $0] }
      value = graph.addReshape(
        value, to: [0, groups] + window.strides + [perGroup] + places, name: name + ".phases")
      // A batch of any size is copied where it comes first on both sides.
      value = graph.add(
        .transpose(Transpose(permutation: [0, 1, 2 + rank] + order)), name: name + ".order",
        inputs: [value])
      value = graph.addReshape(
        value,
        to: [0, groups * perGroup] + axes.map { places[$0] * window.strides[$0] },
        name: name + ".joined")
    }
    guard axes.contains(where: { places[$0] * window.strides[$0] != output[$0] }) else {
      return value
    }
    func list(_ numbers: [Int], _ graph: inout Graph) -> ValueID {
      graph.addConstant(
        Tensor(numbers.map { Int64($0) }, shape: [numbers.count]), name: name + ".cut")
    }
    return graph.add(
      .slice(Slice()), name: name + ".cut",
      inputs: [
        value, list(cut, &graph), list(axes.map { cut[$0] + output[$0] }, &graph),
        list(axes.map { $0 + 2 }, &graph),
      ])
  }

  /// [groups · phases · outputs of a group, inputs of a group, taps…]
  private var phaseWeights: Tensor {
    let source = weights.floats
    let (groups, perGroup) = (geometry.groups, weights.shape[1])
    let inputs = weights.shape[0] / groups
    let (kernel, strides, taps) = (window.kernel, window.strides, taps)
    let kernelCount = kernel.reduce(1, *)
    // By phase and tap: the tap of the source, or none.
    let sources = places(of: strides).map { phase in
      places(of: taps).map { tap -> Int? in
        var at = 0
        for axis in axes {
          let place = phase[axis] + strides[axis] * (taps[axis] - 1 - tap[axis])
          guard place < kernel[axis] else { return nil }
          at = at * kernel[axis] + place
        }
        return at
      }
    }
    var result: [Float] = []
    result.reserveCapacity(groups * count * perGroup * inputs * taps.reduce(1, *))
    for group in 0..<groups {
      for sources in sources {
        for output in 0..<perGroup {
          for channel in 0..<inputs {
            let first = ((group * inputs + channel) * perGroup + output) * kernelCount
            result += sources.map { $0.map { source[first + $0] } ?? 0 }
          }
        }
      }
    }
    return Tensor(result, shape: Shape([groups * count * perGroup, inputs] + taps))
  }

  private var phaseBias: Tensor? {
    guard let bias else { return nil }
    let (numbers, perGroup) = (bias.floats, weights.shape[1])
    let repeated = (0..<geometry.groups).flatMap { group in
      (0..<count).flatMap { _ in numbers[group * perGroup..<(group + 1) * perGroup] }
    }
    return Tensor(repeated, shape: [repeated.count])
  }

  /// All places of an array in row-major order.
  private func places(of extents: [Int]) -> [[Int]] {
    extents.reduce([[]]) { places, extent in
      places.flatMap { place in (0..<extent).map { place + [$0] } }
    }
  }
}
