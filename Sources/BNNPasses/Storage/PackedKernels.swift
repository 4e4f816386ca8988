import BNNTensor

/// Packed weights [O, 3, 3, C] as kernels: one number of nine bits for each output and channel, bit
/// t the sign at tap t in row-major order.
struct PackedKernels {
  let shape: Shape
  /// Output by output, channel by channel.
  var kernels: [UInt16]

  var outputs: Int { shape[0] }
  var channels: Int { shape[3] }

  /// - Returns: nil for any other kernel than 3×3.
  init?(_ packed: PackedTensor) {
    guard packed.shape.rank == 4, packed.shape[1] == 3, packed.shape[2] == 3 else { return nil }
    shape = packed.shape
    let (outputs, channels) = (packed.shape[0], packed.shape[3])
    var kernels = [UInt16](repeating: 0, count: outputs * channels)
    packed.bytes.withUnsafeBufferPointer { bytes in
      var bit = 0
      for output in 0..<outputs {
        for tap in 0..<UInt16(KernelDistance.taps) {
          for channel in 0..<channels {
            let sign = UInt16(bytes[bit >> 3] >> UInt8(bit & 7) & 1)
            kernels[output * channels + channel] |= sign << tap
            bit += 1
          }
        }
      }
    }
    self.kernels = kernels
  }

  var packed: PackedTensor {
    let channels = channels
    let each = channels * KernelDistance.taps
    return PackedTensor(shape: shape) { index in
      let (output, rest) = index.quotientAndRemainder(dividingBy: each)
      let (tap, channel) = rest.quotientAndRemainder(dividingBy: channels)
      return kernels[output * channels + channel] >> UInt16(tap) & 1 == 1
    }
  }

  /// How many different kernels there are.
  var distinct: Int {
    var occurs = [Bool](repeating: false, count: KernelDistance.kernels)
    for kernel in kernels { occurs[Int(kernel)] = true }
    return occurs.count { $0 }
  }
}
