/// What mismatches are subtracted from to give the accumulators of a binary convolution.
///
/// An accumulator is the number of products minus twice the number of mismatches. Taps in zero
/// padding are gathered as −1 bits, so that each of their weight bits that is +1 is counted as a
/// mismatch; they must count neither as products nor as mismatches. So the base is
///
///     (taps inside) · (bits per tap) + 2 · (+1 weights of the taps outside)
///
/// which depends on the output channel and on which taps lie inside: the border class. The taps
/// inside are a box (a range per axis), so that a class is one range per axis, and the +1 weights
/// of a box come from sums over all boxes that begin at tap 0.
struct AccumulatorBases {
  private let outputs: Int
  private let positionsPerImage: Int
  let classes: Int
  /// [class][output]
  private let bases: ParameterList<Int32>
  /// The class of each output position of an image; nil where there is only one.
  private let classOfPosition: ParameterList<Int32>?

  /// - Parameter countsPadding: padding is ±1 and counts like any input; there is one class.
  init(
    _ plan: WindowPlan, _ rows: WeightRows, bitsPerTap: Int, countsPadding: Bool,
    _ context: LayerContext
  ) throws(RuntimeError) {
    outputs = context.outputs[0].channels
    positionsPerImage = plan.positionsPerImage
    let depth = Int32(plan.taps * bitsPerTap)
    // Without weights there is nothing to correct, and nothing bounds the window.
    let axes = countsPadding || depth == 0 || outputs == 0 ? nil : AxisClasses.all(of: plan)
    guard let axes, axes.contains(where: { $0.ranges.count > 1 || $0.cutsTaps }) else {
      classes = 1
      bases = try context.expanded([depth], channels: outputs)
      classOfPosition = nil
      return
    }
    classes = axes.reduce(1) { $0 * $1.ranges.count }
    let (entries, overflow) = classes.multipliedReportingOverflow(by: outputs * 4)
    guard !overflow else { throw .tooLarge(bytes: nil, limit: context.budget.limit) }
    bases = ParameterList(memory: try context.budget.allocate(entries))
    let classOfPosition = ParameterList<Int32>(
      memory: try context.budget.allocate(positionsPerImage * 4))
    self.classOfPosition = classOfPosition
    AccumulatorBases.fill(
      bases.pointer, axes, plan, rows, bitsPerTap: bitsPerTap, outputs: outputs)
    var position = 0
    for z in axes[0].classOfPosition {
      for y in axes[1].classOfPosition {
        for x in axes[2].classOfPosition {
          let index = (z * axes[1].ranges.count + y) * axes[2].ranges.count + x
          classOfPosition.pointer[position] = Int32(index)
          position += 1
        }
      }
    }
  }

  /// Where the bases of each position begin, from an output channel on.
  func fill(
    _ rows: UnsafeMutablePointer<UnsafePointer<Int32>?>, positions: Range<Int>, output: Int
  ) {
    let first = UnsafePointer(bases.pointer + output)
    forEachClass(of: positions) { rows[$0] = first + $1 * outputs }
  }

  func bases(ofClass index: Int) -> UnsafePointer<Int32> {
    UnsafePointer(bases.pointer + index * outputs)
  }

  /// The number of each position among the given ones, and its class.
  @inline(__always)
  func forEachClass(of positions: Range<Int>, _ body: (Int, Int) -> Void) {
    guard let classOfPosition else {
      for row in 0..<positions.count { body(row, 0) }
      return
    }
    var position = positions.lowerBound % positionsPerImage
    for row in 0..<positions.count {
      body(row, Int(classOfPosition.pointer[position]))
      position = position + 1 == positionsPerImage ? 0 : position + 1
    }
  }

  /// The bases of all outputs at a position of an image; the same ones are at the same place.
  func row(position: Int) -> UnsafePointer<Int32> {
    let index = classOfPosition.map { Int($0.pointer[position]) } ?? 0
    return UnsafePointer(bases.pointer + index * outputs)
  }

  private static func fill(
    _ bases: UnsafeMutablePointer<Int32>, _ axes: [AxisClasses], _ plan: WindowPlan,
    _ rows: WeightRows, bitsPerTap: Int, outputs: Int
  ) {
    let classes = axes.reduce(1) { $0 * $1.ranges.count }
    var sums = BoxSums(extents: plan.kernel)
    let boxes = (0..<classes).map { index in
      let rest = index / axes[2].ranges.count
      return sums.box(
        axes[0].ranges[rest / axes[1].ranges.count], axes[1].ranges[rest % axes[1].ranges.count],
        axes[2].ranges[index % axes[2].ranges.count])
    }
    for output in 0..<outputs {
      sums.fill { rows.plusCount(output: output, from: $0 * bitsPerTap, count: bitsPerTap) }
      for (index, box) in boxes.enumerated() {
        let outside = sums.total - sums.sum(box)
        bases[index * outputs + output] = Int32(box.count * bitsPerTap + 2 * outside)
      }
    }
  }
}

/// The different ranges of taps inside the input along one axis.
private struct AxisClasses {
  var ranges: [Range<Int>] = []
  /// The index of its range for each output position.
  var classOfPosition: [Int] = []
  /// Whether any range lacks a tap.
  var cutsTaps = false

  static func all(of plan: WindowPlan) -> [AxisClasses] {
    let window = plan.imageWindow
    let strides = [plan.output[1] * plan.output[2], plan.output[2], 1]
    return (0..<3).map { axis in
      var classes = AxisClasses()
      var known: [Range<Int>: Int] = [:]
      for at in 0..<(plan.positionsPerImage == 0 ? 0 : plan.output[axis]) {
        let taps = window.taps(at: at * strides[axis])
        let own = [taps.z, taps.y, taps.x][axis]
        let range = own.first..<own.end
        classes.cutsTaps = classes.cutsTaps || range != 0..<plan.kernel[axis]
        let index = known[range] ?? classes.ranges.count
        if index == classes.ranges.count { classes.ranges.append(range) }
        known[range] = index
        classes.classOfPosition.append(index)
      }
      return classes
    }
  }
}

/// Sums over boxes of a three-dimensional grid, from the sums over boxes that begin at 0.
private struct BoxSums {
  private let extents: [Int]
  private var sums: [Int]
  private let strides: (z: Int, y: Int)

  init(extents: [Int]) {
    self.extents = extents
    strides = ((extents[1] + 1) * (extents[2] + 1), extents[2] + 1)
    sums = [Int](repeating: 0, count: (extents[0] + 1) * strides.z)
  }

  mutating func fill(_ value: (Int) -> Int) {
    let (depth, height, width) = (extents[0], extents[1], extents[2])
    let strides = strides
    sums.withUnsafeMutableBufferPointer { sums in
      var index = 0
      for z in 1...depth {
        for y in 1...height {
          var line = 0
          for x in 1...width {
            line += value(index)
            index += 1
            let at = z * strides.z + y * strides.y + x
            sums[at] =
              line + sums[at - strides.y] + sums[at - strides.z] - sums[at - strides.z - strides.y]
          }
        }
      }
    }
  }

  var total: Int { sums[sums.count - 1] }

  /// Which sums are added and subtracted to give that of a box, but those that are 0.
  struct Box {
    var count: Int
    var added: [Int] = []
    var subtracted: [Int] = []
  }

  func box(_ z: Range<Int>, _ y: Range<Int>, _ x: Range<Int>) -> Box {
    var box = Box(count: z.count * y.count * x.count)
    for (atZ, addsZ) in [(z.upperBound, true), (z.lowerBound, false)] where atZ > 0 {
      for (atY, addsY) in [(y.upperBound, addsZ), (y.lowerBound, !addsZ)] where atY > 0 {
        for (atX, adds) in [(x.upperBound, addsY), (x.lowerBound, !addsY)] where atX > 0 {
          let index = atZ * strides.z + atY * strides.y + atX
          if adds { box.added.append(index) } else { box.subtracted.append(index) }
        }
      }
    }
    return box
  }

  func sum(_ box: Box) -> Int {
    sums.withUnsafeBufferPointer { sums in
      var sum = 0
      for index in box.added { sum += sums[index] }
      for index in box.subtracted { sum -= sums[index] }
      return sum
    }
  }
}
