import BNNKit
import BNNTestSupport

/// A value on its way through a network, and what is known of its elements.
///
/// Elements are multiples of 2^−grid whose magnitude is at most `bound`. As long as those fit in
/// float32's 24 bits with some to spare, arithmetic is exact in any order.
struct Flow {
  var id: ValueID
  var channels: Int
  var extents: [Int]
  var bound: Float
  var grid: Int
  /// Whether elements may be 0 on a stretch of numbers, or never on one side of 0. The sign of such a
  /// value keeps its zeros, so it is shifted before a plain `Sign`.
  var restsAtZero = false
  /// Whether elements are +1 or −1.
  var isSign = false

  var isExact: Bool { bound * Float(sign: .plus, exponent: grid, significand: 1) <= 0x1p21 }
  var isExactWhenShifted: Bool {
    var shifted = self
    (shifted.bound, shifted.grid) = (bound + 1, max(grid, 3))
    return shifted.isExact
  }
  var positions: Int { extents.reduce(1, *) }
}

/// Makes the graph of a ``NetworkSpec``.
struct NetworkBuilder {
  /// Whether a plain `Sign` is written as a comparison that gives +1 at 0: the network that the
  /// conversion promises, with no operator that it would have to read differently.
  let resolvesZeros: Bool
  var graph = Graph(name: "random")
  var numbers: SeededGenerator
  var flow: Flow
  /// Whether all values made so far are exact.
  var isExact = true
  /// Products that must be binary layers, at least, and products that may be real-valued layers.
  var binaryProducts = 0
  var realProducts = 0

  init(_ spec: NetworkSpec, resolvesZeros: Bool) {
    self.resolvesZeros = resolvesZeros
    numbers = SeededGenerator(seed: spec.seed)
    let batch: Dimension =
      switch spec.batch {
      case .open: .batch(1)
      case .one: .fixed(1)
      case .three: .fixed(3)
      }
    var shape = [spec.channels] + spec.extents
    if spec.input == .channelsLast { shape.append(shape.removeFirst()) }
    let type = ValueType(.float32, [batch] + shape.map { .fixed($0) })
    flow = Flow(
      id: graph.addInput(name: "x", type: type), channels: spec.channels, extents: spec.extents,
      bound: 4, grid: 1)
    prepareInput(spec.input)
    for layer in spec.layers {
      numbers = SeededGenerator(seed: layer.seed)
      append(layer)
    }
    numbers = SeededGenerator(seed: spec.seed &+ 1)
    let trunk = flow
    finishExactly(with: spec.head, spec.headWeights)
    graph.outputs = [flow.id]
    switch spec.secondOutput {
    case .none: break
    case .trunk: if trunk.id != flow.id { graph.outputs.append(trunk.id) }
    case .sign:
      graph.outputs.append(
        plainSign(trunk.restsAtZero ? shifted(trunk, by: [-0.5]) : trunk).id)
    }
    graph.outputs = graph.outputs.map { output in
      graph.inputs.contains(output) ? node(.identity(Identity()), output) : output
    }
  }

  // MARK: Nodes

  mutating func node(_ op: Op, _ inputs: ValueID?...) -> ValueID {
    graph.add(op, name: "\(op.definition.name)_\(graph.nodes.count)", inputs: inputs)
  }

  mutating func scalar(_ number: Float) -> ValueID { constant([number], []) }

  mutating func constant(_ elements: [Float], _ shape: Shape) -> ValueID {
    constant(Tensor(elements, shape: shape))
  }

  mutating func constant(_ tensor: Tensor) -> ValueID {
    graph.addConstant(tensor, name: "c\(graph.values.count)")
  }

  mutating func integers(_ elements: [Int]) -> ValueID {
    constant(Tensor(elements.map { Int64($0) }, shape: [elements.count]))
  }

  mutating func binary(_ kind: BinaryFunction, _ a: ValueID, _ b: ValueID) -> ValueID {
    node(.elementwiseBinary(ElementwiseBinary(kind: kind)), a, b)
  }

  mutating func unary(_ function: PointwiseFunction, _ x: ValueID) -> ValueID {
    node(.elementwiseUnary(ElementwiseUnary(function: function)), x)
  }

  mutating func compare(_ kind: ComparisonFunction, _ a: ValueID, _ b: ValueID) -> ValueID {
    node(.comparison(Comparison(kind: kind)), a, b)
  }

  mutating func cast(_ x: ValueID, to type: ElementType = .float32) -> ValueID {
    node(.cast(Cast(to: type)), x)
  }

  mutating func choose(_ condition: ValueID, _ a: ValueID, _ b: ValueID) -> ValueID {
    node(.select(Where()), condition, a, b)
  }

  mutating func concat(_ values: [ValueID], axis: Int = 1) -> ValueID {
    graph.add(
      .concat(Concat(axis: axis)), name: "Concat_\(graph.nodes.count)", inputs: values)
  }

  mutating func split(_ x: ValueID, parts: Int) -> [ValueID] {
    let outputs = (0..<parts).map { part in
      graph.addValue(Value(name: "part\(graph.values.count).\(part)"))
    }
    graph.nodes.append(
      Node(
        name: "Split_\(graph.nodes.count)", op: .split(Split(axis: 1, parts: parts)), inputs: [x],
        outputs: outputs))
    return outputs
  }

  mutating func reshape(_ x: ValueID, _ shape: [Int]) -> ValueID {
    node(.reshape(Reshape()), x, integers(shape))
  }

  // MARK: Numbers

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[numbers.nextIndex(choices.count)]
  }

  mutating func list(_ count: Int, of choices: [Float]) -> [Float] {
    (0..<count).map { _ in pick(choices) }
  }

  /// A constant with one number per channel of a value with spatial axes, in one of its shapes.
  mutating func perChannel(_ elements: [Float], rank: Int) -> ValueID {
    let ones = [Int](repeating: 1, count: rank)
    return constant(
      elements,
      Shape(numbers.nextIndex(2) == 0 ? [elements.count] + ones : [1, elements.count] + ones))
  }

  // MARK: Arithmetic

  /// Records what is known of a new value.
  mutating func made(
    _ id: ValueID, from x: Flow, bound: Float, grid: Int, restsAtZero: Bool? = nil
  ) -> Flow {
    var result = x
    (result.id, result.bound, result.grid) = (id, bound, grid)
    (result.restsAtZero, result.isSign) = (restsAtZero ?? x.restsAtZero, false)
    if !result.isExact { isExact = false }
    return result
  }

  /// What a step gives; the value itself where its arithmetic would not be exact or does not suit.
  mutating func attempt(_ x: Flow, _ step: (inout NetworkBuilder) -> Flow?) -> Flow {
    var trial = self
    // With room for what shifts it before a sign.
    guard let result = step(&trial), trial.isExact, result.isExactWhenShifted else { return x }
    self = trial
    return result
  }

  mutating func multiplied(_ x: Flow, by factors: [Float]) -> Flow {
    let operand =
      factors.count == 1 ? scalar(factors[0]) : perChannel(factors, rank: x.extents.count)
    let sides = numbers.nextIndex(2) == 0 ? (x.id, operand) : (operand, x.id)
    return made(
      binary(.multiply, sides.0, sides.1), from: x, bound: x.bound * factors.largest,
      grid: x.grid + factors.grid)
  }

  mutating func shifted(_ x: Flow, by terms: [Float]) -> Flow {
    let operand = terms.count == 1 ? scalar(terms[0]) : perChannel(terms, rank: x.extents.count)
    let sides = numbers.nextIndex(2) == 0 ? (x.id, operand) : (operand, x.id)
    return made(
      binary(.add, sides.0, sides.1), from: x, bound: x.bound + terms.largest,
      grid: max(x.grid, terms.grid), restsAtZero: x.restsAtZero && terms.contains(0))
  }

  mutating func sum(_ x: Flow, _ y: Flow) -> Flow {
    made(
      binary(.add, x.id, y.id), from: x, bound: x.bound + y.bound, grid: max(x.grid, y.grid),
      restsAtZero: x.restsAtZero || y.restsAtZero)
  }

  mutating func product(_ x: Flow, _ y: Flow) -> Flow {
    made(
      binary(.multiply, x.id, y.id), from: x, bound: x.bound * y.bound, grid: x.grid + y.grid,
      restsAtZero: x.restsAtZero || y.restsAtZero)
  }

  mutating func clipped(_ x: Flow, _ lower: Float, _ upper: Float) -> Flow {
    made(
      node(.clip(Clip()), x.id, scalar(lower), scalar(upper)), from: x,
      bound: max(min(x.bound, upper), -lower), grid: max(x.grid, [lower, upper].grid),
      restsAtZero: x.restsAtZero || lower >= 0 || upper <= 0)
  }
}

extension [Float] {
  var largest: Float { reduce(0) { Swift.max($0, abs($1)) } }

  /// The number of fraction bits that the elements need.
  var grid: Int {
    (0...24).first { bits in
      let unit = Float(sign: .plus, exponent: bits, significand: 1)
      return allSatisfy { ($0 * unit).rounded() == $0 * unit }
    } ?? 24
  }
}
