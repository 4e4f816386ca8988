import BNNGraph
import BNNTensor

/// Rounds real weights and per-channel vectors to what the file is to hold them in.
///
/// Before: a finished graph. After: the same with constants and epilogues whose numbers are
/// float16, bfloat16 or multiples of a row's scale, still written as float32: every later step
/// computes with exactly what the file will hold.
///
/// Weights are constants with two or more extents above 1; vectors are those with one, and the
/// lists of epilogues. Numbers that are the same for all channels stay. What a storage cannot hold
/// stays float32, and a finding says so.
public struct RoundNumbers: LossyPass {
  public let name = "round-numbers"
  public let summary = "Rounds real weights and vectors to the storage that is asked for."
  public let storage: StorageOptions

  public init(_ storage: StorageOptions) { self.storage = storage }

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var rounding = Rounding(storage: storage)
    for index in graph.nodes.indices { rounding.round(index, in: &graph) }
    return rounding.outcome
  }
}

/// One run of the pass.
private struct Rounding {
  let storage: StorageOptions
  var outcome = PassOutcome()
  /// Constants that several nodes read in the same storage are rounded once.
  private var known: [Key: ValueID] = [:]

  private struct Key: Hashable {
    var value: ValueID
    var storage: FloatStorage
  }

  init(storage: StorageOptions) { self.storage = storage }

  mutating func round(_ index: Int, in graph: inout Graph) {
    let node = graph.nodes[index]
    // Scales of sampling are no weights: they decide shapes.
    if case .resize = node.op { return }
    let vectors = FloatStorage(storage.vectors(of: node.layerName))
    let weights = storage.weights(of: node.layerName)
    for (position, input) in node.inputs.enumerated() {
      guard let input, let tensor = graph[input].constant, tensor.elementType == .float32 else {
        continue
      }
      let extents = tensor.shape.dimensions.count { $0 > 1 }
      let choice = extents > 1 ? weights : vectors
      guard extents > 0, choice.isRounded else { continue }
      guard let rounded = constant(input, tensor, as: choice, node, in: &graph) else { continue }
      graph.nodes[index].inputs[position] = rounded
    }
    guard vectors.isRounded, case .block(var block) = node.op else { return }
    round(&block.epilogue, of: node)
    graph.nodes[index].op = .block(block)
  }

  private mutating func constant(
    _ value: ValueID, _ tensor: Tensor, as choice: FloatStorage, _ node: Node,
    in graph: inout Graph
  ) -> ValueID? {
    let key = Key(value: value, storage: choice)
    if let known = known[key] { return known }
    guard let rounded = tensor.rounded(to: choice) else {
      outcome.findings.append(.notRounded(node: node.name, storage: choice))
      return nil
    }
    note(node, "weights", choice, error: rounded.error)
    let id = graph.addConstant(rounded.tensor, name: graph[value].name)
    known[key] = id
    return id
  }

  // MARK: Epilogues

  private mutating func round(_ epilogue: inout Epilogue, of node: Node) {
    var vectors = RoundedVectors()
    epilogue.steps = epilogue.steps.map { step in
      switch step {
      case .affine(let scale, let bias):
        .affine(scale: vectors.rounded(scale), bias: vectors.rounded(bias))
      case .slopes(let positive, let negative):
        .slopes(positive: vectors.rounded(positive), negative: vectors.rounded(negative))
      case .clamp, .function, .add, .multiply: step
      }
    }
    switch epilogue.output {
    case .values, .accumulatorBits: break
    case .bits(let thresholds): epilogue.output = .bits(vectors.rounded(thresholds))
    case .valuesAndBits(let thresholds):
      epilogue.output = .valuesAndBits(vectors.rounded(thresholds))
    }
    if vectors.rounded > 0 { note(node, "vectors", .float16, error: vectors.error) }
    if vectors.refused > 0 {
      outcome.findings.append(.notRounded(node: node.name, storage: .float16))
    }
  }

  private mutating func note(
    _ node: Node, _ numbers: String, _ storage: FloatStorage, error: Float
  ) {
    outcome.rewrote(
      node, "rounded \(numbers) to \(storage.rawValue), by at most \(error) of the largest")
  }
}

/// Rounds lists of an epilogue and counts them.
private struct RoundedVectors {
  private(set) var rounded = 0
  private(set) var refused = 0
  private(set) var error: Float = 0

  mutating func rounded(_ list: [Float]) -> [Float] {
    // One number for all channels is a field of the layer, as long in any storage.
    guard list.count > 1 else { return list }
    guard let result = Tensor(list, shape: [list.count]).rounded(to: .float16) else {
      refused += 1
      return list
    }
    rounded += 1
    error = max(error, result.error)
    return result.tensor.floats
  }

  /// Intervals are rounded inwards, so that an end that lies just off 0 does not become 0.
  mutating func rounded(_ thresholds: Thresholds<Float>) -> Thresholds<Float> {
    var result = thresholds
    result.lower = zip(thresholds.lower, rounded(thresholds.lower)).map { old, new in
      new < old ? new.nextHalf(up: true) : new
    }
    result.upper = zip(thresholds.upper, rounded(thresholds.upper)).map { old, new in
      new > old ? new.nextHalf(up: false) : new
    }
    return result
  }
}

extension FloatStorage {
  fileprivate init(_ vectors: VectorStorage) {
    self = vectors == .float16 ? .float16 : .float32
  }
}

extension Float {
  /// The next larger or smaller number of float16; this one is finite and of float16.
  fileprivate func nextHalf(up: Bool) -> Float {
    let quantum = Float(
      sign: .plus, exponent: max(self == 0 ? -14 : exponent, -14) - 10, significand: 1)
    // Towards 0 from a power of two, numbers are twice as dense.
    let isPower = magnitude.significand == 1 && exponent > -14 && (self > 0) != up
    let step = isPower ? quantum / 2 : quantum
    return self + (up ? step : -step)
  }
}
