import BNNTensor

/// A convolution or transposed convolution whose weights are a value, on [N, C, spatial…]. Each
/// sum is added channel by channel and tap by tap, in row-major order.
final class ArrayConvolutionStep: ExecutionStep {
  private let isTransposed: Bool
  private let input: Buffer
  private let weights: Buffer
  private let output: Buffer
  private let plan: WindowPlan
  private let channels: Int
  private let outputs: Int
  private let groups: Int
  /// Three spatial extents of what is read and of what is made.
  private let source: [Int]
  private let target: [Int]

  init(
    _ geometry: ConvolutionGeometry, isTransposed: Bool, _ context: LayerContext
  ) throws(RuntimeError) {
    self.isTransposed = isTransposed
    (input, weights) = (context.inputs[0], context.inputs[1])
    output = context.outputs[0]
    groups = geometry.groups
    channels = input.shape[1]
    outputs = output.shape[1]
    // A transposed convolution is the way back of one from its result to its input.
    let wide = isTransposed ? output.shape : input.shape
    let channelsLast = Shape([wide[0]] + wide.dimensions.dropFirst(2) + [wide[1]])
    do {
      plan = try WindowPlan(geometry.window, input: channelsLast)
    } catch {
      throw context.fault(error)
    }
    func three(_ shape: Shape) -> [Int] {
      [Int](repeating: 1, count: 5 - shape.rank) + shape.dimensions.dropFirst(2)
    }
    (source, target) = (three(input.shape), three(output.shape))
  }

  var work: StepWork {
    StepWork(
      floatMACs: StepWork.product(
        isTransposed ? input.count : output.count, plan.taps,
        (isTransposed ? outputs : channels) / groups))
  }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    let planeSize = target.reduce(1, *)
    execution.pool.run(output.shape[0] * outputs) { planes, _ in
      for plane in planes {
        let (image, channel) = plane.quotientAndRemainder(dividingBy: outputs)
        let to = output.floats(execution) + plane * planeSize
        for position in 0..<planeSize {
          let (line, x) = position.quotientAndRemainder(dividingBy: target[2])
          let (z, y) = line.quotientAndRemainder(dividingBy: target[1])
          to[position] = sum(image: image, channel: channel, at: (z, y, x), execution)
        }
      }
    }
  }

  private func sum(
    image: Int, channel: Int, at: (Int, Int, Int), _ execution: Execution
  ) -> Float {
    let sourceSize = source.reduce(1, *)
    let taps = plan.taps
    let (inputsOfGroup, outputsOfGroup) = (channels / groups, outputs / groups)
    let (group, inGroup) = channel.quotientAndRemainder(dividingBy: outputsOfGroup)
    var sum: Float = 0
    for other in 0..<inputsOfGroup {
      let plane = image * channels + group * inputsOfGroup + other
      let x = input.floats(execution) + plane * sourceSize
      let filter =
        isTransposed
        ? (group * inputsOfGroup + other) * outputsOfGroup + inGroup
        : channel * inputsOfGroup + other
      let w = weights.floats(execution) + filter * taps
      var tap = 0
      for kz in 0..<plan.kernel[0] {
        let z = place(0, at.0, kz)
        for ky in 0..<plan.kernel[1] {
          let y = place(1, at.1, ky)
          for kx in 0..<plan.kernel[2] {
            let column = place(2, at.2, kx)
            if z >= 0, y >= 0, column >= 0 {
              sum += x[(z * source[1] + y) * source[2] + column] * w[tap]
            }
            tap += 1
          }
        }
      }
    }
    return sum
  }

  /// The position along an axis that a tap of an output position sees; −1 where there is none.
  @inline(__always)
  private func place(_ axis: Int, _ position: Int, _ tap: Int) -> Int {
    var place: Int
    if isTransposed {
      place = position + plan.padsBegin[axis] - tap * plan.dilations[axis]
      guard place >= 0, place % plan.strides[axis] == 0 else { return -1 }
      place /= plan.strides[axis]
    } else {
      place = position * plan.strides[axis] - plan.padsBegin[axis] + tap * plan.dilations[axis]
    }
    return place < source[axis] ? place : -1
  }
}
