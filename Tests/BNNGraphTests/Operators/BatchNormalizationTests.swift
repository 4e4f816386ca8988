import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct BatchNormalizationTests {
  @Test func agreesBitForBitOnRandomNumbers() throws {
    try expect(
      .batchNormalization(BatchNormalization(epsilon: 1e-5)),
      [
        floats(
          [
            -0.80193144, -1.3243589, -0.24836162, 0.42044523, 1.1360465, 0.1097064, -0.5526473,
            -0.7847804, 0.7487458, 1.634783, 0.27276877, -1.2333287, -0.9582652, 1.6000191,
            0.20288244, -1.7321348, -0.083696194, -1.163226, -0.6292881, -0.48800582, -0.7133134,
            0.55337846, -0.06308597, -0.5894313,
          ], [2, 4, 3]), floats([0.40963784, 0.8298553, -1.6430234, -0.25673014]),
        floats([-0.98074734, -0.17315522, -1.2894187, 0.020690395]),
        floats([-0.03788574, -0.30433774, -1.0479265, -0.39619035]),
        floats([1.0913289, 1.3552088, 0.22478573, 1.10935]),
      ],
      gives: [
        floats(
          [
            -1.2803458, -1.4852006, -1.0632794, 0.34350574, 0.85362154, 0.121995814, -3.005745,
            -2.2013175, -7.5155544, -0.47435477, -0.14236687, 0.22474098, -1.3416476, -0.33849025,
            -0.88633704, -1.1909592, -0.01587107, -0.785413, -2.7401562, -3.2297516, -2.4489772,
            -0.21076486, -0.06050304, 0.06779244,
          ], [2, 4, 3])
      ])
  }

  @Test func vanishingVariance() throws {
    try expect(
      .batchNormalization(BatchNormalization(epsilon: 1e-5)),
      [ramp([1, 2, 2]), floats([1, 1]), floats([0, 0]), floats([1, 2]), floats([0, 1e-12])],
      gives: [floats([-1264.9111, 316.22778, -632.4555, -1264.911], [1, 2, 2])])
  }

  @Test func batchNormalization() throws {
    try expect(
      .batchNormalization(BatchNormalization(epsilon: 0.001)),
      [
        ramp([2, 3, 2]), floats([1, -0.5, 0]), floats([0.25, 1, -3]), floats([0.1, 2, -1]),
        floats([0.3, 4, 0]),
      ],
      gives: [
        floats(
          [
            -5.40039, 3.7131424, 1.4999375, 1.9998751, -3, -3, -1.7549772, -5.40039, 1, 1.4999375,
            -3, -3,
          ], [2, 3, 2])
      ])
  }

  @Test func batchNormalizationOfMatrix() throws {
    try expect(
      .batchNormalization(BatchNormalization()),
      [
        ramp([2, 2]), floats([1.7, 0.3]), floats([0.1, -2.2]), floats([0.7, -0.9]),
        floats([0.01, 123]),
      ],
      gives: [floats([-62.76857, -2.1215546, -11.794054, -2.2297552], [2, 2])])
  }
}
