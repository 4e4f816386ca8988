import BNNFormat
import BNNTensor

/// A step whose real values only a pool reads: lines of them are pooled while they are in the cache,
/// and never exist together.
///
/// Each worker has a band of lines, of which the last ones stay for the next windows.
final class PooledStep: ExecutionStep {
  private let producer: any LineStep
  private let pool: PoolStep
  /// Bytes and rows of a line, and how many lines a band has.
  private let lineBytes: Int
  private let lineRows: Int
  private let bandLines: Int
  private let threads: Int
  private let bandOffset: Int
  let scratchBytes: Int

  private static let bandBytes = 224 << 10

  init(_ producer: any LineStep, _ pool: PoolStep, channels: Int, threads: Int) {
    (self.producer, self.pool, self.threads) = (producer, pool, threads)
    let plan = pool.plan
    lineRows = plan.input[2]
    lineBytes = lineRows * channels * MemoryLayout<Float>.stride
    // The more lines a band has, the fewer of them are moved, as long as the cache holds it.
    let fewest = plan.windowLines + producer.linesAtOnce
    bandLines = max(fewest, min(PooledStep.bandBytes / max(lineBytes, 1), plan.input[1]))
    var layout = RegionLayout()
    _ = layout.add(max(producer.scratchBytes, pool.scratchBytes))
    bandOffset = layout.add(bandLines * lineBytes)
    scratchBytes = layout.byteCount
  }

  var work: StepWork { producer.work }

  func run(_ execution: Execution) {
    producer.prepare(execution)
    let plan = pool.plan
    let lines = plan.images * plan.output[1]
    // Where two workers meet, both compute the lines that windows share.
    let grain = (lines + threads - 1) / threads
    execution.pool.run(lines, grain: max(1, grain)) { lines, worker in
      var first = lines.lowerBound
      while first < lines.upperBound {
        let (image, line) = first.quotientAndRemainder(dividingBy: plan.output[1])
        let end = min(lines.upperBound - first + line, plan.output[1])
        run(image: image, lines: line..<end, scratch: execution.scratch(worker), execution)
        first += end - line
      }
    }
  }

  /// Computes lines of the pool's result.
  private func run(
    image: Int, lines: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let plan = pool.plan
    var band = Band(base: scratch + bandOffset, lineBytes: lineBytes)
    for line in lines {
      let seen = plan.linesSeen(by: line)
      if seen.lowerBound >= band.lines.upperBound {
        let first = seen.lowerBound / producer.linesAtOnce * producer.linesAtOnce
        band.lines = first..<first
      }
      while band.lines.upperBound < seen.upperBound {
        let first = band.lines.upperBound
        let end = min(first + producer.linesAtOnce, plan.input[1])
        if end - band.lines.lowerBound > bandLines { band.drop(before: seen.lowerBound) }
        band.lines = band.lines.lowerBound..<end
        let rows = image * plan.input[1] * lineRows
        producer.run(
          rows: rows + first * lineRows..<rows + end * lineRows, scratch: scratch,
          execution.with(band, image: image, height: plan.input[1]))
      }
      let first = (image * plan.output[1] + line) * plan.output[2]
      pool.run(
        first..<first + plan.output[2], scratch: scratch,
        execution.with(band, image: image, height: plan.input[1]))
    }
  }
}

/// Successive lines of an image, the first at `base`.
private struct Band {
  let base: UnsafeMutableRawPointer
  let lineBytes: Int
  var lines = 0..<0

  mutating func drop(before line: Int) {
    let first = min(max(line, lines.lowerBound), lines.upperBound)
    let kept = first..<lines.upperBound
    base.copyMemory(
      from: base + (first - lines.lowerBound) * lineBytes, byteCount: kept.count * lineBytes)
    lines = kept
  }
}

extension Execution {
  fileprivate func with(_ band: Band, image: Int, height: Int) -> Execution {
    var execution = self
    execution.band = band.base - (image * height + band.lines.lowerBound) * band.lineBytes
    return execution
  }
}

extension WindowPlan {
  /// Lines from the first that a window sees to the last.
  var windowLines: Int { (kernel[1] - 1) * dilations[1] + 1 }

  /// The lines of an image that the windows of a line of the result see.
  fileprivate func linesSeen(by line: Int) -> Range<Int> {
    let first = line * strides[1] - padsBegin[1]
    let lower = min(max(first, 0), input[1])
    return lower..<max(lower, min(first + windowLines, input[1]))
  }
}
