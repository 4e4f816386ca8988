import BNNTensor

/// The codes of array operations among those of all operations.
enum ArrayOperationCode: UInt8 {
  case gather = 9
  case constant = 14, elementwise, cast, slice, pad, expand, matrixProduct, convolution
  case transposedConvolution, argumentExtremum, topK, cumulativeSum, gatherElements, gatherND
  case scatterElements, scatterND, maximumIndices, resample
}

// MARK: Writing

extension RecordWriter {
  mutating func array(_ operation: ArrayOperation) {
    bytes.byte(operation.code.rawValue)
    switch operation {
    case .constant(let tensor): bytes.integer(pool.array(tensor))
    case .elementwise(let function): bytes.byte(function.code)
    case .cast(let type): bytes.byte(StoredTensor.Kind(type).rawValue)
    case .slice(let starts, let steps):
      bytes.integers(starts)
      for step in steps { bytes.signedInteger(step) }
    case .pad(let mode, let begin, let end):
      bytes.byte(mode.code)
      bytes.integer(begin.count)
      for amount in begin + end { bytes.signedInteger(amount) }
    case .gather(let axis): bytes.integer(axis)
    case .expand, .matrixProduct: break
    case .convolution(let geometry):
      window(geometry.window)
      bytes.integer(geometry.groups)
    case .transposedConvolution(let geometry, let outputPadding):
      window(geometry.window)
      bytes.integer(geometry.groups)
      bytes.integers(outputPadding)
    case .argumentExtremum(let isMaximum, let axis, let keepDimensions, let selectsLast):
      bytes.integer(axis)
      for flag in [isMaximum, keepDimensions, selectsLast] { bytes.flag(flag) }
    default: indexed(operation)
    }
  }

  /// Operations that pick, order or weigh elements.
  private mutating func indexed(_ operation: ArrayOperation) {
    switch operation {
    case .topK(let axis, let count, let largest):
      bytes.integer(axis)
      bytes.integer(count)
      bytes.flag(largest)
    case .cumulativeSum(let axis, let exclusive, let reverse):
      bytes.integer(axis)
      bytes.flag(exclusive)
      bytes.flag(reverse)
    case .gatherElements(let axis): bytes.integer(axis)
    case .gatherND(let batchDimensions): bytes.integer(batchDimensions)
    case .scatterElements(let axis, let reduction):
      bytes.integer(axis)
      bytes.byte(reduction.code)
    case .scatterND(let reduction): bytes.byte(reduction.code)
    case .maximumIndices(let geometry, let ceiling, let columnMajor):
      window(geometry)
      bytes.flag(ceiling)
      bytes.flag(columnMajor)
    case .resample(let tables, let outside):
      bytes.float(outside)
      bytes.integer(tables.count)
      for table in tables { self.table(table) }
    default: break
    }
  }

  private mutating func table(_ table: ResampleTable?) {
    bytes.flag(table != nil)
    guard let table else { return }
    list(table.counts)
    list(table.indices)
    list(table.weights)
  }
}

extension ArrayOperation {
  fileprivate var code: ArrayOperationCode {
    switch self {
    case .constant: .constant
    case .elementwise: .elementwise
    case .cast: .cast
    case .slice: .slice
    case .pad: .pad
    case .gather: .gather
    case .expand: .expand
    case .matrixProduct: .matrixProduct
    case .convolution: .convolution
    case .transposedConvolution: .transposedConvolution
    case .argumentExtremum: .argumentExtremum
    case .topK: .topK
    case .cumulativeSum: .cumulativeSum
    case .gatherElements: .gatherElements
    case .gatherND: .gatherND
    case .scatterElements: .scatterElements
    case .scatterND: .scatterND
    case .maximumIndices: .maximumIndices
    case .resample: .resample
    }
  }
}

// MARK: Reading

extension RecordReader {
  mutating func array(_ code: ArrayOperationCode) throws(FormatError) -> ArrayOperation {
    switch code {
    case .constant: return .constant(try store.array(&bytes))
    case .elementwise:
      return .elementwise(try bytes.code(.elementwise, ElementwiseFunction.init(code:)))
    case .cast:
      return .cast(
        try bytes.code(.elementType) { ElementType(valueCode: $0) })
    case .slice:
      let starts = try bytes.integers()
      return .slice(starts: starts, steps: try signedIntegers(starts.count))
    case .pad:
      let mode = try bytes.code(.padMode, PadMode.init(code:))
      let rank = try bytes.count(ofAtLeast: 2)
      return .pad(mode, begin: try signedIntegers(rank), end: try signedIntegers(rank))
    case .gather: return .gather(axis: try bytes.integer())
    case .expand: return .expand
    case .matrixProduct: return .matrixProduct
    case .convolution:
      return .convolution(ConvolutionGeometry(window: try window(), groups: try bytes.integer()))
    case .transposedConvolution:
      return .transposedConvolution(
        ConvolutionGeometry(window: try window(), groups: try bytes.integer()),
        outputPadding: try bytes.integers())
    case .argumentExtremum:
      let axis = try bytes.integer()
      return .argumentExtremum(
        isMaximum: try bytes.flag(), axis: axis, keepDimensions: try bytes.flag(),
        selectsLast: try bytes.flag())
    default: return try indexed(code)
    }
  }

  private mutating func indexed(_ code: ArrayOperationCode) throws(FormatError) -> ArrayOperation {
    switch code {
    case .topK:
      return .topK(
        axis: try bytes.integer(), count: try bytes.integer(), largest: try bytes.flag())
    case .cumulativeSum:
      return .cumulativeSum(
        axis: try bytes.integer(), exclusive: try bytes.flag(), reverse: try bytes.flag())
    case .gatherElements: return .gatherElements(axis: try bytes.integer())
    case .gatherND: return .gatherND(batchDimensions: try bytes.integer())
    case .scatterElements: return .scatterElements(axis: try bytes.integer(), try reduction())
    case .scatterND: return .scatterND(try reduction())
    case .maximumIndices:
      return .maximumIndices(
        try window(), ceiling: try bytes.flag(), columnMajor: try bytes.flag())
    default:
      let outside = try bytes.float()
      var tables: [ResampleTable?] = []
      for _ in 0..<(try bytes.count()) {
        tables.append(
          try bytes.flag()
            ? ResampleTable(
              counts: try integers(), indices: try integers(), weights: try floats()) : nil)
      }
      return .resample(tables, outside: outside)
    }
  }

  private mutating func reduction() throws(FormatError) -> ScatterReduction {
    try bytes.code(.scatterReduction, ScatterReduction.init(code:))
  }

  private mutating func signedIntegers(_ count: Int) throws(FormatError) -> [Int] {
    var values: [Int] = []
    for _ in 0..<count { values.append(try bytes.signedInteger()) }
    return values
  }
}

// MARK: Codes

extension ElementwiseFunction {
  /// By position: new functions are added at the end of their list's range of codes.
  fileprivate var code: UInt8 {
    switch self {
    case .arithmetic(let function): 0 + UInt8(index(of: function))
    case .comparison(let function): 32 + UInt8(index(of: function))
    case .logical(let function): 48 + UInt8(index(of: function))
    case .bitwise(let function): 56 + UInt8(index(of: function))
    case .select: 64
    }
  }

  private func index<Function: CaseIterable & Equatable>(of function: Function) -> Int {
    Array(Function.allCases).firstIndex(of: function) ?? 0
  }

  fileprivate init?(code: UInt8) {
    guard let value = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = value
  }
}

extension ScatterReduction {
  fileprivate var code: UInt8 {
    switch self {
    case .none: 0
    case .add: 1
    case .multiply: 2
    case .maximum: 3
    case .minimum: 4
    }
  }

  fileprivate init?(code: UInt8) {
    guard let value = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = value
  }
}

extension PadMode {
  fileprivate var code: UInt8 {
    switch self {
    case .constant: 0
    case .reflect: 1
    case .edge: 2
    case .wrap: 3
    }
  }

  fileprivate init?(code: UInt8) {
    guard let value = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = value
  }
}
