import BNNTensor
import BNNTestSupport
import Testing

@Suite struct WindowGeometryTests {
  @Test func spansAndDefaults() {
    let window = WindowGeometry(kernel: [3, 1], dilations: [2, 5])
    #expect(window.span(0) == 5)
    #expect(window.span(1) == 1)
    #expect(window.strides == [1, 1])
    #expect(!window.hasPadding)
    #expect(WindowGeometry(kernel: [1], padsEnd: [1]).hasPadding)
  }

  /// Against counting the windows one by one.
  @Test func extentsAreTheNumberOfWindowsThatFit() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<500 {
      let window = WindowGeometry(
        kernel: [.random(in: 1...4, using: &generator)],
        strides: [.random(in: 1...4, using: &generator)],
        dilations: [.random(in: 1...3, using: &generator)],
        padsBegin: [.random(in: 0...3, using: &generator)],
        padsEnd: [.random(in: 0...3, using: &generator)])
      let input = Int.random(in: 0...12, using: &generator)
      let end = input + window.padsBegin[0] + window.padsEnd[0]
      let starts = stride(from: 0, to: max(end, 1), by: window.strides[0])
      let fitting = starts.count { $0 + window.span(0) <= end }
      #expect(window.outputExtents(of: [input]) == (fitting == 0 ? nil : [fitting]))
      // Rounding up, one more window where something is left, if it begins before the end padding.
      guard fitting > 0 else { continue }
      let isCovered = (fitting - 1) * window.strides[0] + window.span(0) >= end
      let next = fitting * window.strides[0]
      let more = !isCovered && next < input + window.padsBegin[0] ? 1 : 0
      #expect(window.outputExtents(of: [input], ceiling: true) == [fitting + more])
    }
  }

  @Test(arguments: [
    WindowGeometry(kernel: [0]), WindowGeometry(kernel: [1], strides: [0]),
    WindowGeometry(kernel: [1], dilations: [0]), WindowGeometry(kernel: [1], strides: [1, 1]),
    WindowGeometry(kernel: [1, 1]), WindowGeometry(kernel: [9]),
    WindowGeometry(kernel: [1], padsBegin: [.max]), WindowGeometry(kernel: [.max]),
  ])
  func numbersOutOfRange(window: WindowGeometry) {
    #expect(window.outputExtents(of: [5]) == nil)
  }
}

@Suite struct ThresholdsTests {
  @Test func intervalsHalfLinesAndConstants() {
    let thresholds = Thresholds<Int32>(
      lower: [-2, 0, 1], upper: [2, .max, 0], insideIsPlus: [true, false, false])
    #expect(
      (-3...3).map { thresholds.isPlus($0, channel: 0) }
        == [false, true, true, true, true, true, false])
    #expect([-1, 0].map { thresholds.isPlus($0, channel: 1) } == [true, false])
    #expect([-9, 9].map { thresholds.isPlus($0, channel: 2) } == [true, true])
  }

  @Test func oneEntryServesAllChannels() {
    let thresholds = Thresholds<Float>.zeroIsPlus
    #expect(thresholds.count == 1)
    #expect(thresholds.isPlus(0, channel: 7))
    #expect(!thresholds.isPlus(.nan, channel: 7))
    #expect(!Thresholds<Float>.zeroIsMinus.isPlus(0, channel: 7))
    #expect(Thresholds<Float>.zeroIsMinus.isPlus(.leastNonzeroMagnitude, channel: 7))
  }

  @Test func epiloguesCountOutputsAndOperands() {
    let steps: [PointwiseStep] = [.add(operand: 2), .function(.relu), .multiply(operand: 0)]
    #expect(Epilogue(steps: steps).operandCount == 3)
    #expect(Epilogue().operandCount == 0)
    #expect(Epilogue().outputTypes == [.float32])
    #expect(Epilogue(output: .bits(.zeroIsPlus)).outputTypes == [.sign])
    #expect(Epilogue(output: .valuesAndBits(.zeroIsPlus)).outputTypes == [.float32, .sign])
  }
}
