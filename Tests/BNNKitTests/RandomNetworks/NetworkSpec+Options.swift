import BNNTestSupport

/// One thing that may be chosen in a network or a layer.
struct SpecOption<Root> {
  let randomize: (inout Root, inout SeededGenerator) -> Void
  /// The same with the simplest choice; nil where that is the choice already.
  let simplified: (Root) -> Root?
  /// The choice; nil for the simplest.
  let text: (Root) -> String?

  init<Choice: CaseIterable & Equatable>(
    _ path: WritableKeyPath<Root, Choice>, rarity: Int = 2
  ) where Choice.AllCases == [Choice] {
    let all = Choice.allCases
    randomize = { root, generator in
      guard generator.nextIndex(rarity) == 0 else { return }
      root[keyPath: path] = all[generator.nextIndex(all.count)]
    }
    simplified = { root in
      guard root[keyPath: path] != all[0] else { return nil }
      var result = root
      result[keyPath: path] = all[0]
      return result
    }
    text = { root in root[keyPath: path] == all[0] ? nil : "\(Choice.self).\(root[keyPath: path])" }
  }
}

extension LayerSpec {
  static var options: [SpecOption<LayerSpec>] {
    [
      .init(\.sign, rarity: 1), .init(\.beforeSign, rarity: 3), .init(\.weights, rarity: 1),
      .init(\.scale, rarity: 3), .init(\.geometry, rarity: 1), .init(\.block), .init(\.bias),
      .init(\.normalization, rarity: 1), .init(\.residual), .init(\.activation), .init(\.pooling),
    ]
  }

  init(using generator: inout SeededGenerator) {
    seed = generator.next()
    let outputs = [1, 2, 3, 4, 5, 8, 12, 16, 17, 31, 33]
    self.outputs = outputs[generator.nextIndex(outputs.count)]
    for option in LayerSpec.options { option.randomize(&self, &generator) }
  }
}

extension NetworkSpec {
  static var options: [SpecOption<NetworkSpec>] {
    [
      .init(\.batch), .init(\.input), .init(\.head, rarity: 1), .init(\.headWeights),
      .init(\.secondOutput, rarity: 3),
    ]
  }

  init(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    self.seed = seed
    let channels = [1, 2, 3, 4, 6, 8, 16, 31, 33, 63, 64, 65, 66]
    self.channels = channels[generator.nextIndex(channels.count)]
    let rank = generator.nextIndex(4) == 0 ? 1 : 2
    extents = (0..<rank).map { _ in 2 + generator.nextIndex(5) }
    layers = (0..<1 + generator.nextIndex(4)).map { _ in LayerSpec(using: &generator) }
    for option in NetworkSpec.options { option.randomize(&self, &generator) }
  }
}

extension NetworkSpec: CustomStringConvertible {
  /// What is not the simplest choice.
  var description: String {
    let own = NetworkSpec.options.compactMap { $0.text(self) }
    let head = "seed \(seed): \(channels) channels of \(extents) \(own.joined(separator: " "))"
    return ([head] + layers.map { "  \($0)" }).joined(separator: "\n")
  }
}

extension LayerSpec: CustomStringConvertible {
  var description: String {
    let own = LayerSpec.options.compactMap { $0.text(self) }
    return "seed \(seed): \(outputs) outputs \(own.joined(separator: " "))"
  }
}

extension NetworkSpec {
  /// Networks that are simpler in one respect, the simplest first.
  var simpler: [NetworkSpec] {
    var result: [NetworkSpec] = []
    for index in layers.indices where layers.count > 1 {
      var copy = self
      copy.layers.remove(at: index)
      result.append(copy)
    }
    result += NetworkSpec.options.compactMap { $0.simplified(self) }
    for index in layers.indices {
      for option in LayerSpec.options {
        guard let layer = option.simplified(layers[index]) else { continue }
        var copy = self
        copy.layers[index] = layer
        result.append(copy)
      }
      for outputs in layers[index].outputs.smaller {
        var copy = self
        copy.layers[index].outputs = outputs
        result.append(copy)
      }
    }
    for channels in channels.smaller {
      var copy = self
      copy.channels = channels
      result.append(copy)
    }
    if extents.count > 1 {
      var copy = self
      copy.extents = [extents[0]]
      result.append(copy)
    }
    for axis in extents.indices where extents[axis] > 1 {
      var copy = self
      copy.extents[axis] -= 1
      result.append(copy)
    }
    return result
  }
}

extension Int {
  /// Some smaller positive numbers.
  fileprivate var smaller: [Int] {
    self <= 1 ? [] : Array(Set([1, self / 2, self - 1])).sorted()
  }
}
