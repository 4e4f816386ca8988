import BNNTensor
import Testing

@testable import BNNFormat

/// The rules about meaning: the same for models in memory and for files.
@Suite struct ModelRuleTests {
  private func violation(
    _ model: BinaryModel, _ edit: (inout BinaryModel) -> Void = { _ in }
  ) -> FormatError.Violation? {
    var model = model
    edit(&model)
    do {
      try model.validate()
    } catch {
      if case .broken(let violation) = error { return violation }
    }
    return nil
  }

  private func rule(
    _ model: BinaryModel = SampleModels.chain, _ edit: (inout BinaryModel) -> Void = { _ in }
  ) -> FormatError.Rule? { violation(model, edit)?.rule }

  @Test func samplesAreValid() {
    for model in SampleModels.all + [SampleModels.chain] { #expect(violation(model) == nil) }
  }

  @Test func metadata() {
    #expect(rule { $0.provenance.sourceName = "a/b.onnx" } == .sourceNameHasFolder)
    #expect(rule { $0.provenance.passes = ["\u{0}"] } == .controlCharacter)
    #expect(rule { $0.provenance.passes = ["\u{85}"] } == .controlCharacter)
    #expect(rule { $0.provenance.options[1].key = "a" } == .optionOrder(key: "a"))
    #expect(rule { $0.provenance.options.reverse() } == .optionOrder(key: "a"))
    #expect(rule { $0.provenance.options[0].key = "" } == .emptyName)
    #expect(rule { $0.provenance.sourceBytes = .max } == .integerTooLarge)
    let long = String(repeating: "é", count: 2049)
    #expect(rule { $0.provenance.producer = long } == .stringTooLong(bytes: 4098))
  }

  @Test func values() {
    #expect(rule { $0.values[0].elementType = .int8 } == .valueType(.int8))
    #expect(rule { $0.values[1].dimensions = [] } == .valueRank(0))
    let nine = [Dimension](repeating: .fixed(1), count: 9)
    #expect(rule { $0.values[0].dimensions = nine } == .valueRank(9))
    #expect(rule { $0.values[0].dimensions[1] = .fixed(-1) } == .extent(-1))
    #expect(rule { $0.values[0].dimensions[0] = .batch(0) } == .extent(0))
    #expect(rule { $0.values[0].dimensions[1] = .batch(8) } == .batchNotFirst)
    #expect(rule { $0.values[0].dimensions[1] = .fixed(1 << 31) } == .valueTooLarge)
    #expect(
      rule { $0.values[0].dimensions = [.fixed(1 << 20), .fixed(1 << 20)] } == .valueTooLarge)
    #expect(rule { $0.values[1].name = "x" } == .duplicateName)
    #expect(rule { $0.values[0].name = "" } == .emptyName)
    #expect(rule { $0.values[3].name = "" } == .emptyName)
    #expect(rule { $0.values[1].dimensions = [.batch(8)] } == .dynamicExtent)
  }

  @Test func flow() {
    #expect(rule { $0.outputs = [] } == .noOutputs)
    #expect(rule { $0.outputs = [4] } == .valueIndex(4))
    #expect(rule { $0.inputs = [-1] } == .valueIndex(-1))
    #expect(rule { $0.outputs = [3, 3] } == .listedTwice)
    #expect(rule { $0.layers[0].inputs = [.max] } == .valueIndex(.max))
    #expect(rule { $0.layers[2].outputs = [2] } == .twoProducers(value: 2))
    #expect(rule { $0.layers[2].outputs = [0] } == .twoProducers(value: 0))
    #expect(rule { $0.layers[1].inputs = [2] } == .usedBeforeMade(value: 2))
    #expect(rule { $0.layers.swapAt(1, 2) } == .usedBeforeMade(value: 2))
    let spare = ModelValue(name: "", elementType: .float32, dimensions: [.fixed(1)])
    #expect(rule { $0.values.append(spare) } == .neverMade)
    let unused = violation(SampleModels.chain) {
      $0.values.append($0.values[1])
      $0.layers.append($0.layers[0])
      $0.layers[3].outputs = [4]
    }
    #expect(unused?.rule == .neverUsed)
    #expect(unused?.item == .value(index: 4, name: ""))
  }

  @Test func violationsNameTheLayer() throws {
    let found = violation(SampleModels.chain) { $0.layers[1].name = "" }
    #expect(found?.rule == .emptyName)
    #expect(found?.item == .layer(index: 1, name: ""))
    #expect(found?.section == .layers)
  }

  @Test func typesAndDimensionsOfResults() {
    #expect(
      rule { $0.values[3].elementType = .sign }
        == .resultType(expected: .float32, found: .sign))
    #expect(
      rule { $0.values[3].dimensions[1] = .fixed(9) }
        == .resultDimensions(
          expected: [.batch(1), .fixed(8)], found: [.batch(1), .fixed(9)]))
    #expect(rule { $0.layers[1].inputs = [1, 1] } == .operandCount(expected: 1, found: 2))
    #expect(rule { $0.layers[0].outputs = [] } == .usedBeforeMade(value: 1))
    let both = SampleModels.pointwise(Epilogue(output: .valuesAndBits(.zeroIsPlus)))
    let missing = rule(both) {
      $0.layers[0].outputs = [1]
      $0.values.removeLast()
      $0.outputs = [1]
    }
    #expect(missing == .resultCount(expected: 2, found: 1))
    #expect(
      rule(SampleModels.pointwise(Epilogue(steps: [.add(operand: 1)]), operands: 1))
        == .operandCount(expected: 3, found: 2))
    #expect(
      rule(SampleModels.pointwise(Epilogue(steps: [.add(operand: .max)])))
        == .operandCount(expected: .max, found: 1))
    #expect(
      rule(SampleModels.pointwise(Epilogue(), operands: 1)) == .operandCount(expected: 1, found: 2))
  }

  @Test func convolutions() {
    func changed(_ edit: (inout ConvolutionGeometry, inout PackedTensor) -> Void)
      -> FormatError.Rule?
    {
      rule(SampleModels.binaryConvolution(Epilogue())) { model in
        guard
          case .binaryConvolution(var geometry, var weights, let epilogue) =
            model.layers[0].operation
        else { return }
        edit(&geometry, &weights)
        model.layers[0].operation = .binaryConvolution(geometry, weights: weights, epilogue)
      }
    }
    #expect(
      changed {
        $0.groups = 0; _ = $1
      } == .groups(0, outputs: 4))
    #expect(
      changed {
        $0.groups = 3; _ = $1
      } == .groups(3, outputs: 4))
    #expect(
      changed {
        $0.groups = 4; _ = $1
      } == .channels(expected: 20, found: 10))
    for axis in 0..<2 {
      #expect(
        changed {
          $0.window.strides[axis] = 0; _ = $1
        } == .window)
      #expect(
        changed {
          $0.window.dilations[axis] = 0; _ = $1
        } == .window)
      #expect(
        changed {
          $0.window.dilations[axis] = 9; _ = $1
        } == .window)
      #expect(
        changed {
          $0.window.padsBegin[axis] = -1; _ = $1
        } == .window)
      #expect(
        changed {
          $0.window.padsEnd[axis] = .max; _ = $1
        } == .window)
      #expect(
        changed {
          $0.window.padsEnd[axis] = .min; _ = $1
        } == .window)
    }
    #expect(
      changed {
        $0.window.strides = [1]; _ = $1
      } == .window)
    #expect(
      changed {
        $0.window.kernel = [3, 2]; _ = $1
      } == .weightsShape([4, 3, 3, 5]))
    #expect(
      changed {
        $1 = SampleModels.weights([4, 3, 5]); _ = $0
      } == .weightsShape([4, 3, 5]))
    #expect(
      changed {
        $0.window = WindowGeometry(kernel: [9])
        $1 = SampleModels.weights([4, 9, 5])
      } == .operandRank(expected: 3, found: 4))
    let reals = rule(SampleModels.binaryConvolution(Epilogue())) {
      $0.values[0].elementType = .float32
    }
    #expect(reals == .operandType(expected: .sign, found: .float32))
  }

  @Test func longSumsAreNotExact() {
    let channels = (1 << 24) + 1
    let model = SampleModels.model(
      .binaryConvolution(
        .init(window: WindowGeometry(kernel: [])),
        weights: PackedTensor(shape: [1, channels]) { _ in true }, Epilogue()),
      inputs: [SampleModels.signs(.batch(1), .fixed(channels))],
      outputs: [SampleModels.reals(.batch(1), .fixed(1))])
    #expect(rule(model) == .tooManyProducts(channels))
  }

  @Test func realConvolutions() {
    let input = SampleModels.reals(.batch(1), .fixed(2))
    let output = SampleModels.reals(.batch(1), .fixed(1))
    func model(_ geometry: ConvolutionGeometry, _ weights: Weights) -> BinaryModel {
      SampleModels.model(
        .convolution(geometry, weights: weights, Epilogue()), inputs: [input], outputs: [output])
    }
    let dense = ConvolutionGeometry(window: WindowGeometry(kernel: []))
    #expect(rule(model(dense, .float32([1, 2], shape: [1, 2]))) == nil)
    #expect(
      rule(model(dense, .float32([1], shape: [1, 2]))) == .weightsCount(expected: 2, found: 1))
    #expect(
      rule(model(dense, .float32([], shape: [.max, .max])))
        == .weightsCount(expected: .max, found: 0))
    var padded = dense
    padded.padding = .plusOne
    #expect(rule(model(padded, .float32([1, 2], shape: [1, 2]))) == .paddingOfReals)
  }

  @Test func quantizedConvolutions() {
    func quantized(_ scales: [Float] = [1], elements: [Int8]? = nil, scale: Float = 1)
      -> FormatError.Rule?
    {
      rule(
        SampleModels.quantized(
          scales: scales, elements: elements ?? .init(repeating: 127, count: 24),
          input: .init(scale: scale, zero: 3)))
    }
    #expect(quantized() == nil)
    #expect(quantized(elements: []) == .weightsCount(expected: 24, found: 0))
    #expect(quantized(elements: .init(repeating: -128, count: 24)) == .weightOutOfRange)
    #expect(quantized([1, 2]) == .parameterCount(channels: 4, found: 2))
    for wrong: Float in [0, -1, .nan, .infinity, -.infinity, 0x1p-127, 0x1p127] {
      #expect(quantized(scale: wrong) == .quantizationScale, "\(wrong)")
    }
    for wrong: Float in [0, -1, .nan, .infinity, .leastNonzeroMagnitude] {
      #expect(quantized([1, wrong, 1, 1]) == .quantizationScale, "\(wrong)")
    }
    // The scales are possible, their product is not.
    #expect(quantized([0x1p-100], scale: 0x1p-100) == .quantizationScale)
    #expect(quantized([0x1p100], scale: 0x1p100) == .quantizationScale)
    func dense(_ channels: Int, padding: ConvolutionGeometry.PaddingValue = .zero)
      -> FormatError.Rule?
    {
      let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: []), padding: padding)
      let weights = QuantizedWeights(
        elements: .init(repeating: 1, count: channels), shape: [1, channels], scales: [1])
      return rule(
        SampleModels.model(
          .quantizedConvolution(
            geometry, weights: weights, input: .init(scale: 1, zero: 0), Epilogue()),
          inputs: [SampleModels.reals(.batch(1), .fixed(channels))],
          outputs: [SampleModels.reals(.batch(1), .fixed(1))]))
    }
    #expect(dense(1 << 16) == nil)
    #expect(dense(1 << 16 + 1) == .tooManyProducts(1 << 16 + 1))
    #expect(dense(4, padding: .plusOne) == .paddingOfReals)
    #expect(
      rule(SampleModels.quantized(scales: [1])) { $0.values[0].elementType = .sign }
        == .operandType(expected: .float32, found: .sign))
  }

  @Test func epilogues() {
    func epilogue(_ epilogue: Epilogue, operands: Int = 0) -> FormatError.Rule? {
      rule(SampleModels.pointwise(epilogue, operands: operands))
    }
    #expect(
      epilogue(Epilogue(steps: [.affine(scale: [1, 2], bias: [0])]))
        == .parameterCount(channels: 3, found: 2))
    #expect(
      epilogue(Epilogue(steps: [.slopes(positive: [1], negative: [])]))
        == .parameterCount(channels: 3, found: 0))
    #expect(epilogue(Epilogue(steps: [.clamp(lower: .nan, upper: 1)])) == .boundIsNaN)
    #expect(
      epilogue(
        Epilogue(output: .bits(Thresholds(lower: [0], upper: [.nan], insideIsPlus: [true]))))
        == .boundIsNaN)
    #expect(
      epilogue(
        Epilogue(
          output: .accumulatorBits(Thresholds(lower: [0], upper: [1], insideIsPlus: [true]))))
        == .accumulatorBits)
    let bounds = Thresholds<Int32>(lower: [0, 1], upper: [2, 3], insideIsPlus: [true, true])
    #expect(
      rule(SampleModels.binaryConvolution(Epilogue(output: .accumulatorBits(bounds))))
        == .parameterCount(channels: 4, found: 2))
    var added = SampleModels.pointwise(Epilogue(steps: [.add(operand: 0)]), operands: 1)
    added.values[1].dimensions = [.fixed(1), .fixed(1)]
    #expect(rule(added) == nil)
    added.values[1].dimensions = [.batch(1), .fixed(2)]
    #expect(
      rule(added)
        == .broadcast(
          operand: [.batch(1), .fixed(2)], result: [.batch(1), .fixed(3)]))
    added.values[1] = ModelValue(name: "s", elementType: .sign, dimensions: [.fixed(3)])
    #expect(rule(added) == .operandType(expected: .float32, found: .sign))
  }

  @Test func pools() {
    let input = SampleModels.signs(.batch(1), .fixed(4), .fixed(3))
    func pool(_ window: WindowGeometry, inverted: [Bool] = [false]) -> FormatError.Rule? {
      rule(
        SampleModels.model(
          .binaryPool(window, ceiling: false, inverted: inverted), inputs: [input],
          outputs: [SampleModels.signs(.batch(1), .fixed(3), .fixed(3))]))
    }
    #expect(pool(WindowGeometry(kernel: [2])) == nil)
    #expect(
      pool(WindowGeometry(kernel: [2]), inverted: [true, false])
        == .parameterCount(channels: 3, found: 2))
    #expect(pool(WindowGeometry(kernel: [5])) == .window)
    #expect(pool(WindowGeometry(kernel: [2], padsBegin: [2], padsEnd: [0])) == .poolPadding)
    #expect(
      pool(WindowGeometry(kernel: [2, 2])) == .operandRank(expected: 4, found: 3))
  }

  @Test func structure() {
    let image = SampleModels.reals(.batch(1), .fixed(2), .fixed(3))
    func one(_ operation: BNNFormat.Operation, _ inputs: [PhysicalType]? = nil) -> FormatError.Rule?
    {
      rule(SampleModels.model(operation, inputs: inputs ?? [image], outputs: [image]))
    }
    #expect(one(.transpose(permutation: [0, 1])) == .permutation([0, 1]))
    #expect(one(.transpose(permutation: [0, 1, 1])) == .permutation([0, 1, 1]))
    #expect(one(.transpose(permutation: [1, 0, 2])) == .permutation([1, 0, 2]))
    #expect(one(.softmax(axis: 3, logarithm: false)) == .axis(3))
    #expect(one(.softmax(axis: -1, logarithm: false)) == .axis(-1))
    #expect(one(.softmax(axis: 0, logarithm: false)) == .acrossBatch)
    #expect(one(.reduce(.sum, axes: [0], keepDimensions: true)) == .acrossBatch)
    #expect(one(.reduce(.sum, axes: [2, 1], keepDimensions: true)) == .axisOrder)
    #expect(one(.reduce(.sum, axes: [1, 1], keepDimensions: true)) == .axisOrder)
    #expect(one(.reduce(.sum, axes: [9], keepDimensions: true)) == .axis(9))
    #expect(one(.unpack) == .operandType(expected: .sign, found: .float32))
    #expect(one(.reshape, [SampleModels.reals(.batch(1), .fixed(7))]) == .elementCount)
    #expect(one(.reshape, [SampleModels.reals(.fixed(6))]) == .elementCount)
    #expect(one(.concatenate(axis: 5)) == .axis(5))
    #expect(one(.concatenate(axis: 0), [image, image]) == .acrossBatch)
    let other = SampleModels.reals(.batch(1), .fixed(2), .fixed(4))
    #expect(one(.concatenate(axis: 1), [image, other]) == .concatenation)
    let bits = SampleModels.signs(.batch(1), .fixed(2), .fixed(3))
    #expect(one(.concatenate(axis: 1), [image, bits]) == .concatenation)
    #expect(one(.signProduct, [bits]) == .operandCount(expected: 2, found: 1))
    #expect(
      one(.signProduct, [bits, image]) == .operandType(expected: .sign, found: .float32))
    let narrow = SampleModels.signs(.batch(1), .fixed(2), .fixed(1))
    #expect(one(.signProduct, [bits, narrow]) == .operandDimensions)
  }

  @Test func filesGiveThePlaceOfTheRecord() throws {
    // Two values of one name: only the bytes can say so, the writer refuses.
    let bytes = FileSurgery.section(.values, of: try SampleModels.chain.encoded()) { values in
      if let last = values.lastIndex(of: UInt8(ascii: "y")) { values[last] = UInt8(ascii: "x") }
    }
    let error = #expect(throws: FormatError.self) { try BinaryModel(decoding: bytes) }
    guard case .broken(let violation)? = error else { return }
    #expect(violation.rule == .duplicateName)
    #expect(violation.item == .value(index: 3, name: "x"))
    let start = try #require(violation.offset)
    #expect(bytes[start] == 1 && bytes[start + 1] == UInt8(ascii: "x"))
  }

  @Test func messagesNameRuleAndPlace() {
    let found = violation(SampleModels.chain) { $0.layers[1].inputs = [2] }
    #expect(
      found.map { FormatError.broken($0).description }
        == "in section 'layers', layer 'first': value 2 is read before it is made")
    #expect(
      FormatError.outputExists(path: "m.bnn").description
        == "m.bnn: exists already; ask for overwriting to replace it")
  }
}
