import BNNTensor
import Testing

@testable import BNNFormat

/// Operations on arrays that break a rule.
@Suite struct ArrayRuleTests {
  private let image = SampleModels.reals(.batch(1), .fixed(2), .fixed(3))
  private let table = SampleModels.reals(.fixed(5), .fixed(4))
  private let numbers = SampleModels.integers(.fixed(2), .fixed(1))

  private func rule(
    _ operation: ArrayOperation, _ inputs: [PhysicalType], _ output: PhysicalType? = nil
  ) -> FormatError.Rule? {
    do {
      try SampleModels.array(operation, inputs, output ?? image).validate()
      return nil
    } catch {
      return error.rule
    }
  }

  @Test func constants() {
    let packed = Tensor(PackedTensor(shape: [3]) { _ in true })
    #expect(rule(.constant(packed), []) == .constantType)
    #expect(rule(.constant(Tensor([1.0 as Double], shape: [1])), []) == .constantType)
    #expect(rule(.constant(Tensor(scalar: 1)), [image]) == .operandCount(expected: 0, found: 1))
  }

  @Test func elements() {
    func add(_ inputs: PhysicalType...) -> FormatError.Rule? {
      rule(.elementwise(.arithmetic(.add)), inputs)
    }
    #expect(add(image) == .operandCount(expected: 2, found: 1))
    #expect(add(image, numbers) == .operandType(expected: .float32, found: .int64))
    #expect(add(SampleModels.bools(.fixed(3)), image) == .unsupportedType(.bool))
    let two = SampleModels.reals(.fixed(2))
    #expect(add(image, two) == .broadcast(operand: two.dimensions, result: image.dimensions))
    #expect(
      rule(.elementwise(.logical(.and)), [image, image])
        == .operandType(expected: .bool, found: .float32))
    #expect(rule(.elementwise(.bitwise(.not)), [image]) == .unsupportedType(.float32))
    #expect(
      rule(.elementwise(.select), [image, image, image])
        == .operandType(expected: .bool, found: .float32))
    #expect(
      rule(.cast(.float32), [SampleModels.signs(.batch(1), .fixed(3))])
        == .unsupportedType(.sign))
    #expect(rule(.cast(.uint8), [image]) == .unsupportedType(.uint8))
  }

  @Test func slices() {
    func slice(_ starts: [Int], _ steps: [Int]) -> FormatError.Rule? {
      let result = SampleModels.reals(.batch(1), .fixed(2), .fixed(2))
      return rule(.slice(starts: starts, steps: steps), [image], result)
    }
    #expect(slice([0, 0, 0], [1, 1, 2]) == nil)
    #expect(slice([0, 0], [1, 1]) == .operandRank(expected: 2, found: 3))
    #expect(slice([0, 0, 2], [1, 1, 1]) == .slice(2))
    #expect(slice([0, 0, 0], [1, 1, -1]) == .slice(2))
    #expect(slice([0, 0, 1], [1, 1, 0]) == .slice(2))
    #expect(slice([0, 0, -1], [1, 1, 1]) == .slice(2))
    #expect(slice([0, 0, 0], [1, 1, .min]) == .slice(2))
    #expect(slice([1, 0, 0], [1, 1, 2]) == .acrossBatch)
  }

  @Test func padding() {
    func pad(_ mode: PadMode, _ begin: [Int], _ end: [Int]) -> FormatError.Rule? {
      rule(.pad(mode, begin: begin, end: end), [image])
    }
    #expect(pad(.edge, [0, 0, 0], [0, 0, 0]) == nil)
    #expect(pad(.edge, [1, 0, 0], [0, 0, 0]) == .acrossBatch)
    let wide = SampleModels.reals(.batch(1), .fixed(9), .fixed(12))
    #expect(rule(.pad(.wrap, begin: [0, 7, 0], end: [0, 0, 9]), [image], wide) == nil)
    #expect(pad(.reflect, [0, -2, 0], [0, 2, 0]) == .padding(1))
    #expect(pad(.wrap, [0, 0, 4], [0, 0, -3]) == .padding(2))
    #expect(pad(.edge, [0, 0, -2], [0, 0, -2]) == .padding(2))
    #expect(pad(.edge, [0, 0, .min], [0, 0, 0]) == .padding(2))
    #expect(pad(.edge, [0, 0], [0, 0]) == .operandRank(expected: 2, found: 3))
    #expect(pad(.constant, [0, 0, 0], [0, 0, 0]) == .operandCount(expected: 2, found: 1))
    let two = SampleModels.reals(.fixed(2))
    #expect(
      rule(.pad(.constant, begin: [0, 0, 0], end: [0, 0, 0]), [image, two])
        == .broadcast(operand: two.dimensions, result: []))
  }

  @Test func indices() {
    #expect(rule(.gather(axis: 0), [image, numbers]) == .acrossBatch)
    #expect(rule(.gather(axis: 3), [image, numbers]) == .axis(3))
    #expect(
      rule(.gather(axis: 1), [image, image]) == .operandType(expected: .int64, found: .float32))
    #expect(
      rule(.gatherElements(axis: 1), [table, SampleModels.integers(.fixed(6), .fixed(1))])
        == .indexDimensions([.fixed(6), .fixed(1)]))
    #expect(
      rule(.gatherElements(axis: 1), [image, numbers]) == .indexDimensions(numbers.dimensions))
    #expect(
      rule(.gatherND(batchDimensions: 0), [table, SampleModels.integers(.fixed(3))])
        == .indexDimensions([.fixed(3)]))
    #expect(
      rule(.gatherND(batchDimensions: 2), [table, numbers]) == .indexDimensions(numbers.dimensions))
    let row = SampleModels.reals(.fixed(4))
    #expect(
      rule(.scatterND(.none), [table, numbers, row]) == .indexDimensions(row.dimensions))
    #expect(
      rule(
        .scatterND(.none),
        [
          table, SampleModels.integers(.batch(1), .fixed(1)),
          SampleModels.reals(.batch(1), .fixed(4)),
        ]) == .acrossBatch)
    let flags = SampleModels.bools(.fixed(2), .fixed(1))
    #expect(
      rule(.scatterElements(axis: 0, .add), [flags, numbers, flags]) == .unsupportedType(.bool))
  }

  @Test func orders() {
    #expect(rule(.topK(axis: 2, count: 4, largest: true), [image]) == .pickedCount(4))
    #expect(rule(.topK(axis: 0, count: 1, largest: true), [image]) == .acrossBatch)
    let empty = SampleModels.reals(.fixed(2), .fixed(0))
    #expect(
      rule(
        .argumentExtremum(isMaximum: true, axis: 1, keepDimensions: true, selectsLast: false),
        [empty]) == .emptyAxis(1))
    #expect(
      rule(.cumulativeSum(axis: 9, exclusive: false, reverse: false), [image]) == .axis(9))
  }

  @Test func sums() {
    #expect(rule(.matrixProduct, [image, image]) == .channels(expected: 3, found: 2))
    #expect(
      rule(.matrixProduct, [SampleModels.reals(.fixed(3)), image])
        == .operandRank(expected: 2, found: 1))
    let turned = SampleModels.reals(.fixed(4), .batch(1))
    #expect(rule(.matrixProduct, [table, turned]) == .batchNotFirst)
    func convolution(_ weights: PhysicalType, groups: Int = 1) -> FormatError.Rule? {
      let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: [2]), groups: groups)
      return rule(.convolution(geometry), [image, weights])
    }
    #expect(convolution(table) == .operandRank(expected: 3, found: 2))
    let weights = SampleModels.reals(.fixed(4), .fixed(2), .fixed(3))
    #expect(convolution(weights) == .weightsShape([4, 2, 3]))
    let fitting = SampleModels.reals(.fixed(4), .fixed(2), .fixed(2))
    #expect(convolution(fitting, groups: 3) == .groups(3, outputs: 4))
    #expect(convolution(fitting, groups: 2) == .channels(expected: 4, found: 2))
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: [2], padsBegin: [9]))
    let back = SampleModels.reals(.fixed(2), .fixed(2), .fixed(2))
    #expect(
      rule(.transposedConvolution(geometry, outputPadding: [0]), [image, back]) == .window)
    #expect(
      rule(.transposedConvolution(geometry, outputPadding: []), [image, back]) == .window)
    #expect(
      rule(
        .maximumIndices(WindowGeometry(kernel: [2]), ceiling: false, columnMajor: false), [image])
        == .acrossBatch)
  }

  @Test func tables() {
    func resample(_ table: ResampleTable, _ x: PhysicalType? = nil) -> FormatError.Rule? {
      rule(.resample([nil, nil, table], outside: 0), [x ?? image])
    }
    let fits = ResampleTable(counts: [1], indices: [0, 2, 1], weights: [1, 2, 3])
    #expect(resample(fits) == nil)
    for change in [
      { (table: inout ResampleTable) in table.indices[0] = 3 }, { $0.indices[0] = -1 },
      { $0.counts = [2] }, { $0.counts = [1, 1] }, { $0.counts = [0] },
      { $0.counts = [1, -1, 3] }, { $0.weights = [1] }, { $0.counts = [] },
    ] {
      var table = fits
      change(&table)
      #expect(resample(table) == .resampleTable(axis: 2))
    }
    #expect(
      resample(fits, SampleModels.integers(.batch(1), .fixed(2), .fixed(3)))
        == .resampleTable(axis: 2))
    #expect(rule(.resample([fits, nil, nil], outside: 0), [image]) == .acrossBatch)
    #expect(
      rule(.resample([], outside: 0), [image]) == .operandRank(expected: 0, found: 3))
  }

  @Test func codes() throws {
    // Count, name of 5, operands, results, operation, its first field.
    func field(_ model: BinaryModel, _ value: UInt8) throws -> FormatError.Rule? {
      let place = 1 + 6 + 1 + model.inputs.count + 1 + model.outputs.count + 1
      return try broken(model, .layers) { $0[place] = value }
    }
    let same = [image, image]
    let add = SampleModels.array(.elementwise(.arithmetic(.add)), same, image)
    #expect(try field(add, 8) == .unknownCode(.elementwise, value: 8))
    let pad = SampleModels.array(.pad(.edge, begin: [0, 0, 0], end: [0, 0, 0]), [image], image)
    #expect(try field(pad, 4) == .unknownCode(.padMode, value: 4))
    let scatter = SampleModels.array(
      .scatterND(.add), [table, numbers, SampleModels.reals(.fixed(2), .fixed(4))], table)
    #expect(try field(scatter, 5) == .unknownCode(.scatterReduction, value: 5))
    let cast = SampleModels.array(.cast(.float32), [image], image)
    #expect(try field(cast, 6) == .unknownCode(.elementType, value: 6))
    let bools = Tensor([true, false], shape: [2])
    let constant = SampleModels.array(.constant(bools), [], SampleModels.bools(.fixed(2)))
    #expect(try broken(constant, .weights) { $0[1] = 2 } == .boolElement)
  }

  /// Whatever stands in a record, reading ends; what is accepted has one way to be written.
  @Test func changedRecordsAreReadOrRefused() throws {
    for model in SampleModels.arrays + [SampleModels.quantized(scales: [1, 2, 3, 4])] {
      let bytes = try model.encoded()
      let length =
        FileSurgery.sections(bytes)
        .first { $0.kind == FileSection.layers.rawValue }?.bytes.count ?? 0
      for place in 0..<length {
        for value in [0, 1, 2, 3, 0x7F, 0x80, 0xFF] as [UInt8] {
          let changed = FileSurgery.section(.layers, of: bytes) { $0[place] = value }
          guard let read = try? BinaryModel(decoding: changed) else { continue }
          #expect(try read.encoded() == changed)
        }
      }
    }
  }

  private func broken(
    _ model: BinaryModel, _ section: FileSection, _ edit: (inout [UInt8]) -> Void
  ) throws -> FormatError.Rule? {
    let bytes = FileSurgery.section(section, of: try model.encoded(), edit)
    do {
      _ = try BinaryModel(decoding: bytes)
      return nil
    } catch {
      return error.rule
    }
  }
}
