/// Sizes around the ends of bytes, words and vectors of bits, where packing goes wrong first.
public let boundarySizes = [
  0, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257,
]
