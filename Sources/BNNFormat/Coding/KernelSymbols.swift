/// Signs [O, kernel…, C] as one number for each output and channel: bit p is the sign at position p
/// of the window, row-major. Trained kernels repeat, which bits along the channels do not show.
struct KernelSymbols {
  let outputs: Int
  let positions: Int
  let channels: Int

  /// Nil for windows of one position, and of so many that kernels hardly repeat.
  init?(_ dimensions: [Int]) {
    guard dimensions.count >= 3 else { return nil }
    positions = dimensions[1..<(dimensions.count - 1)].reduce(1, *)
    guard (2...16).contains(positions) else { return nil }
    outputs = dimensions[0]
    channels = dimensions[dimensions.count - 1]
  }

  var alphabet: Int { 1 << positions }
  var count: Int { outputs * channels }

  /// The kernels of packed signs, output by output and channel by channel.
  func symbols(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt16] {
    [UInt16](unsafeUninitializedCapacity: count) { symbols, filled in
      symbols.initialize(repeating: 0)
      filled = count
      guard channels % 8 == 0 else { return gather(bytes, symbols) }
      let stride = channels / 8
      for output in 0..<outputs {
        for group in 0..<stride {
          let first = symbols.baseAddress.unsafelyUnwrapped + output * channels + 8 * group
          for half in 0..<((positions + 7) / 8) {
            var square: UInt64 = 0
            for row in 0..<min(8, positions - 8 * half) {
              let index = (output * positions + 8 * half + row) * stride + group
              square |= UInt64(bytes[index]) &<< UInt64(8 * row)
            }
            square = KernelSymbols.transposed(square)
            for column in 0..<8 {
              let bits = UInt16(truncatingIfNeeded: square &>> UInt64(8 * column)) & 0xFF
              first[column] |= bits &<< UInt16(8 * half)
            }
          }
        }
      }
    }
  }

  /// The packed signs of kernels.
  func bytes(_ symbols: [UInt16]) -> [UInt8] {
    let byteCount = (outputs * positions * channels + 7) / 8
    return [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, filled in
      bytes.initialize(repeating: 0)
      filled = byteCount
      symbols.withUnsafeBufferPointer { symbols in
        guard channels % 8 == 0 else { return scatter(symbols, bytes) }
        let stride = channels / 8
        guard let first = symbols.baseAddress, let target = bytes.baseAddress else { return }
        for output in 0..<outputs {
          for group in 0..<stride {
            let kernels = first + (output * channels + 8 * group)
            var row = target + (output * positions * stride + group)
            // Eight positions at a time.
            for position in Swift.stride(from: 0, to: positions, by: 8) {
              var square: UInt64 = 0
              for column in 0..<8 {
                let bits = UInt64(kernels[column] &>> UInt16(truncatingIfNeeded: position) & 0xFF)
                square |= bits &<< UInt64(truncatingIfNeeded: 8 &* column)
              }
              square = KernelSymbols.transposed(square)
              for _ in 0..<min(8, positions &- position) {
                row.pointee = UInt8(truncatingIfNeeded: square)
                square &>>= 8
                row += stride
              }
            }
          }
        }
      }
    }
  }

  /// Eight rows of eight bits, which change places with the columns (Hacker's Delight, 7-3).
  private static func transposed(_ square: UInt64) -> UInt64 {
    var x = square
    var swap = (x ^ x &>> 7) & 0x00AA_00AA_00AA_00AA
    x ^= swap ^ swap &<< 7
    swap = (x ^ x &>> 14) & 0x0000_CCCC_0000_CCCC
    x ^= swap ^ swap &<< 14
    swap = (x ^ x &>> 28) & 0x0000_0000_F0F0_F0F0
    return x ^ swap ^ swap &<< 28
  }

  // MARK: Channels that do not fill bytes

  private func gather(
    _ bytes: UnsafeBufferPointer<UInt8>, _ symbols: UnsafeMutableBufferPointer<UInt16>
  ) {
    forEachBit { bit, symbol, position in
      symbols[symbol] |= UInt16(bytes[bit >> 3] >> UInt8(bit & 7) & 1) << UInt16(position)
    }
  }

  private func scatter(
    _ symbols: UnsafeBufferPointer<UInt16>, _ bytes: UnsafeMutableBufferPointer<UInt8>
  ) {
    forEachBit { bit, symbol, position in
      bytes[bit >> 3] |= UInt8(symbols[symbol] >> UInt16(position) & 1) << UInt8(bit & 7)
    }
  }

  private func forEachBit(_ body: (_ bit: Int, _ symbol: Int, _ position: Int) -> Void) {
    for output in 0..<outputs {
      for position in 0..<positions {
        let bit = (output * positions + position) * channels
        for channel in 0..<channels { body(bit + channel, output * channels + channel, position) }
      }
    }
  }
}
