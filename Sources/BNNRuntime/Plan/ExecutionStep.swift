/// One step of a plan: everything it needs is decided when it is made.
protocol ExecutionStep: AnyObject {
  /// Bytes that each worker needs while the step runs.
  var scratchBytes: Int { get }
  var work: StepWork { get }
  /// - Throws: where the elements of an operand are not what the operation allows.
  func run(_ execution: Execution) throws(RuntimeError)
}

/// A step that can compute a part of its result.
protocol LineStep: ExecutionStep {
  /// Lines of an image that are best computed together, the first of which is a multiple of it.
  var linesAtOnce: Int { get }
  /// Does what has to be done once before any lines are computed.
  func prepare(_ execution: Execution)
  /// Computes the rows of such lines, or of the last ones of an image.
  func run(rows: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution)
}

/// A step that computes rows of its result, some at a time.
protocol TiledStep: LineStep {
  /// The rows of the result, and how many of them are computed together.
  var rowCount: Int { get }
  var tileRows: Int { get }
  func compute(_ rows: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution)
}

extension TiledStep {
  var linesAtOnce: Int { 1 }

  func run(_ execution: Execution) {
    prepare(execution)
    let (tileRows, rowCount) = (tileRows, rowCount)
    execution.pool.run((rowCount + tileRows - 1) / tileRows) { tiles, worker in
      run(
        rows: tiles.lowerBound * tileRows..<min(tiles.upperBound * tileRows, rowCount),
        scratch: execution.scratch(worker), execution)
    }
  }

  func run(rows: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution) {
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: tileRows) {
      compute(first..<min(first + tileRows, rows.upperBound), scratch: scratch, execution)
    }
  }
}

extension ExecutionStep {
  var scratchBytes: Int { 0 }
}

extension LineStep {
  func prepare(_ execution: Execution) {}
}

/// What a step computes, for reports.
struct StepWork {
  /// Multiply-accumulates on bits and on real values.
  var binaryMACs = 0
  var floatMACs = 0
  /// The kernel that does most of it.
  var kernel = ""

  /// The product, or the largest number where that is too large.
  static func product(_ factors: Int...) -> Int {
    factors.reduce(1) { product, factor in
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      return overflow ? Int.max : next
    }
  }
}

/// The memory and the threads that a plan runs with.
struct Execution {
  let arena: UnsafeMutableRawPointer
  let scratchBase: UnsafeMutableRawPointer
  let scratchStride: Int
  let pool: WorkerPool
  /// Where the first element of a value would be that exists in a band of lines only.
  var band: UnsafeMutableRawPointer
  /// Where the input is that may be read where the caller has it; nothing writes there.
  var external: UnsafeMutableRawPointer

  init(
    arena: UnsafeMutableRawPointer, scratchBase: UnsafeMutableRawPointer, scratchStride: Int,
    pool: WorkerPool
  ) {
    (self.arena, self.scratchBase, self.scratchStride) = (arena, scratchBase, scratchStride)
    (self.pool, band, external) = (pool, arena, arena)
  }

  func scratch(_ worker: Int) -> UnsafeMutableRawPointer { scratchBase + worker * scratchStride }
}
