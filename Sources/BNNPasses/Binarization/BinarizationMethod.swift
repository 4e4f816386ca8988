/// How real weights become binary. W_o are the n weights of output o, B_o are ±1.
///
/// The output error of output o is E(w) = Σ (t − w·x)² + λ‖W_o − w‖² over the calibration data: x
/// what the layer reads in the network whose earlier layers are binarized already, t what the layer
/// gives in the real network. λ is a hundredth of the mean of Σ xᵢ², which keeps weights that the
/// data do not determine where they were.
public enum BinarizationMethod: Hashable, Sendable {
  /// B = sign(W). Minimizes ‖W − B‖².
  case sign
  /// α_o = mean |W_o|, B = sign(W): minimizes ‖W_o − α_o B_o‖² (XNOR-Net, arXiv 1603.05279).
  case xnor
  /// B = sign(W) and the α_o that minimizes the output error E(α_o B_o).
  case leastSquares
  /// The B_o and α_o with the least output error that are found by steepest descent and annealing,
  /// one bit at a time, from B_o = sign(W_o). For a given α it is a quadratic problem in binary
  /// variables, as in the projection of QP-SBGD (arXiv 2310.15128). Never worse than
  /// `leastSquares`.
  case qubo
  /// RBONN's model (arXiv 2209.01542), a loss plus λ‖W − α∘B‖² with α and B coupled by their
  /// product, with the layer's output error as the loss: E is minimized over α_o in closed form and
  /// over B_o bit by bit, in turn, until neither changes.
  case bilinear
  /// Every weight of the layer is α or β, the pair with the least ‖W − Ŵ‖² (the closed-form
  /// quantizer into the binary domain of SBNN, arXiv 2306.13515).
  case general
  /// Σ α_m,o B_m over several bases: each is `xnor` of what the ones before it left of W, then the
  /// α_m,o together minimize ‖W_o − Σ α_m,o B_m,o‖².
  case residual(bases: Int)

  /// The numbers of bases that `residual` may have.
  public static let baseCounts = 1...4

  /// All methods, `residual` with each number of bases.
  public static let all: [BinarizationMethod] =
    [.sign, .xnor, .leastSquares, .qubo, .bilinear, .general]
    + baseCounts.map { .residual(bases: $0) }

  /// Whether the method looks at what the layer reads.
  public var needsCalibration: Bool {
    switch self {
    case .leastSquares, .qubo, .bilinear: true
    case .sign, .xnor, .general, .residual: false
    }
  }
}

extension BinarizationMethod: LosslessStringConvertible {
  public init?(_ description: String) {
    guard let method = Self.all.first(where: { $0.description == description }) else { return nil }
    self = method
  }

  public var description: String {
    switch self {
    case .sign: "sign"
    case .xnor: "xnor"
    case .leastSquares: "least-squares"
    case .qubo: "qubo"
    case .bilinear: "bilinear"
    case .general: "general"
    case .residual(let bases): "residual:\(bases)"
    }
  }
}
