import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// Layers that are pooled line by line, against the same layers one after the other.
@Suite struct PooledLayersTests {
  /// A layer and the pool after it.
  private struct Network {
    var values: [ModelValue] = []
    var layers: [Layer] = []
    var tensors: [String: Tensor] = [:]
    var map = 0
    var outputs: [Int] = []

    init(
      seed: Int, kind: PoolKind, producer: Int, extents: [Int], window chosen: WindowGeometry? = nil
    ) throws {
      var random = SeededGenerator(seed: seed)
      let images = random.pick([1, 2])
      let channels = random.pick([3, 8])
      let outputs = producer == 0 ? 20 : 37
      let input = random.reals([images] + extents + [producer == 0 ? outputs : channels])
      var elements = input.value.elements
      for _ in 0..<9 {
        let place = Int.random(in: elements.indices, using: &random)
        elements[place] = random.pick([.nan, .infinity, -.infinity, -0.0])
      }
      var operands: [(type: ElementType, value: PlainValue)] = [
        (input.type, PlainValue(elements, input.value.shape))
      ]
      let (operation, size) = try Network.producer(
        producer, extents: extents, channels: input.value.shape[3], outputs: outputs, &random)
      let window = chosen ?? random.window(over: size)
      let result = Shape(
        [images] + (try #require(window.outputExtents(of: size))) + [outputs])
      let epilogue = random.epilogue(result, hasAccumulator: false, &operands)
      for (index, operand) in operands.enumerated() {
        add("x\(index)", operand.type, operand.value.shape)
        tensors["x\(index)"] = Tensor(operand.value, type: operand.type)
      }
      map = values.count
      add("map", .float32, Shape([images] + size + [outputs]))
      for type in epilogue.outputTypes {
        self.outputs.append(values.count)
        add("y\(values.count)", type, result)
      }
      layers = [
        Layer(name: "producer", operation: operation, inputs: [0], outputs: [map]),
        Layer(
          name: "pool", operation: .pool(kind, window, ceiling: false, epilogue),
          inputs: [map] + (1..<max(map, 1)), outputs: self.outputs),
      ]
    }

    /// The operation and the extents of its result.
    private static func producer(
      _ size: Int, extents: [Int], channels: Int, outputs: Int, _ random: inout SeededGenerator
    ) throws -> (BNNFormat.Operation, [Int]) {
      func affine() -> PointwiseStep {
        .affine(scale: random.reals(outputs), bias: random.reals(outputs))
      }
      if size == 0 {
        // Those without functions are pooled before they are computed.
        let steps: [[PointwiseStep]] = [
          [affine(), .function(random.pick([.relu, .negate]))], [affine()],
          [affine(), .clamp(lower: -0.5, upper: 1.5)], [.clamp(lower: -0.0, upper: 0.0), affine()],
          [affine(), .affine(scale: [-0.5], bias: [0]), affine()],
          [.affine(scale: [-0.0], bias: random.reals(outputs))],
          [.affine(scale: random.reals(outputs), bias: [-0.0])],
        ]
        return (.pointwise(Epilogue(steps: random.pick(steps))), extents)
      }
      let stride = size == 7 ? 2 : 1
      let window = WindowGeometry(
        kernel: [size, size], strides: [stride, stride], dilations: [1, 1],
        padsBegin: [size / 2, size / 2], padsEnd: [size / 2, size / 2])
      let shape = Shape([outputs, size, size, channels])
      let operation = BNNFormat.Operation.convolution(
        ConvolutionGeometry(window: window),
        weights: .float32(random.reals(shape.count), shape: shape),
        Epilogue(steps: random.pick([[.function(.relu)], [affine()], []])))
      return (operation, try #require(window.outputExtents(of: extents)))
    }

    private mutating func add(_ name: String, _ type: ElementType, _ shape: Shape) {
      values.append(
        ModelValue(
          name: name, elementType: type, dimensions: shape.dimensions.map { .fixed($0) }))
    }

    /// - Parameter showsMap: the map is an output, too, and so it exists as a whole.
    func model(showsMap: Bool) -> BinaryModel {
      BinaryModel(
        provenance: .test, values: values, inputs: Array(0..<map),
        outputs: outputs + (showsMap ? [map] : []), layers: layers)
    }
  }

  private func producers(_ model: BinaryModel) throws -> Set<Int> {
    try PlanLayout(model, batch: 1).pooled.producers
  }

  /// By elements, because NaN is not equal to itself.
  private func check(_ network: Network, _ comment: String) throws {
    for kernels in KernelChoice.supported {
      let whole = try InferenceSession(network.model(showsMap: true), kernels: kernels)
      let expected = try whole.run(network.tensors)
      for threads in [1, 2, 3] {
        let session = try InferenceSession(
          network.model(showsMap: false), threads: threads, kernels: kernels)
        let found = try session.run(network.tensors)
        for (found, expected) in zip(found, expected) {
          #expect(found.name == expected.name)
          #expect(
            found.tensor.floats.map(\.bitPattern) == expected.tensor.floats.map(\.bitPattern),
            "\(comment), \(kernels), \(threads) threads")
        }
      }
    }
  }

  /// Producers: 0 is a layer of single values, others are sizes of kernels.
  @Test(arguments: [0, 1, 3, 7], [PoolKind.maximum, .average(countPadding: false)])
  func matchWholeMaps(_ producer: Int, _ kind: PoolKind) throws {
    var pooled = 0
    for seed in 0..<8 {
      let extents = producer == 7 ? [95, 101] : [59, 61]
      let network = try Network(seed: seed, kind: kind, producer: producer, extents: extents)
      #expect(try producers(network.model(showsMap: true)).isEmpty)
      pooled += try producers(network.model(showsMap: false)).count
      try check(network, "seed \(seed)")
    }
    #expect(pooled > 2)
  }

  /// Windows as networks have them, with and without lines that two of them share.
  @Test(arguments: [(3, 2, 1), (2, 2, 0), (3, 1, 1), (3, 3, 2)])
  func usualWindows(_ size: Int, _ stride: Int, _ pad: Int) throws {
    let window = WindowGeometry(
      kernel: [size, size], strides: [stride, stride], dilations: [1, 1], padsBegin: [pad, pad],
      padsEnd: [pad, pad])
    for producer in [0, 1, 3, 7] {
      let extents = producer == 7 ? [112, 96] : [60, 56]
      let network = try Network(
        seed: producer, kind: .maximum, producer: producer, extents: extents, window: window)
      #expect(try producers(network.model(showsMap: false)) == [0])
      try check(network, "producer \(producer)")
    }
  }

  /// Where a maximum may be taken before the steps, and of what.
  @Test func monotoneChannels() {
    func falls(_ steps: PointwiseStep..., allowsBounds: Bool = true) -> [Bool]? {
      Epilogue(steps: steps).monotoneChannels(allowsBounds: allowsBounds)
    }
    #expect(falls() == [false])
    #expect(falls(.affine(scale: [2, -3], bias: [0, -1])) == [false, true])
    #expect(
      falls(.affine(scale: [-2], bias: [1]), .affine(scale: [1, -1], bias: [0])) == [true, false])
    #expect(falls(.affine(scale: [2, 0], bias: [1])) == nil)
    #expect(falls(.affine(scale: [2, .nan], bias: [1])) == nil)
    #expect(falls(.affine(scale: [.infinity], bias: [1])) == nil)
    #expect(falls(.affine(scale: [2], bias: [1, -0.0])) == nil)
    #expect(falls(.affine(scale: [2], bias: [.infinity])) == nil)
    #expect(
      falls(.affine(scale: [2, -3], bias: [0]), .function(.relu), .affine(scale: [-1], bias: [0]))
        == [true, false])
    #expect(falls(.clamp(lower: 0, upper: 6)) == [false])
    #expect(falls(.clamp(lower: 6, upper: 0)) == nil)
    #expect(falls(.clamp(lower: .nan, upper: 0)) == nil)
    #expect(falls(.function(.relu), allowsBounds: false) == nil)
    #expect(falls(.clamp(lower: 0, upper: 6), allowsBounds: false) == nil)
    #expect(falls(.function(.negate)) == nil)
  }

  /// The map takes no place among the values.
  @Test func bandSavesMemory() throws {
    let window = WindowGeometry(
      kernel: [2, 2], strides: [2, 2], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0])
    let network = try Network(
      seed: 1, kind: .maximum, producer: 0, extents: [60, 60], window: window)
    let layout = try PlanLayout(network.model(showsMap: false), batch: 1)
    let (input, map) = (layout.buffers[0], layout.buffers[network.map])
    #expect(layout.arenaBytes < input.byteCount + map.byteCount)
  }

  /// What others read, small maps, and pools of nearly a whole map stay layers of their own.
  @Test func othersStayWhole() throws {
    let global = WindowGeometry(
      kernel: [60, 60], strides: [1, 1], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0])
    let large = try Network(
      seed: 1, kind: .maximum, producer: 0, extents: [60, 60], window: global)
    #expect(try producers(large.model(showsMap: false)).isEmpty)
    let small = try Network(seed: 1, kind: .maximum, producer: 0, extents: [12, 12])
    #expect(try producers(small.model(showsMap: false)).isEmpty)
  }
}
