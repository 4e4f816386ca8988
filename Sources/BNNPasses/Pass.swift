import BNNGraph
import BNNTensor

/// One rewriting of a graph.
///
/// A pass changes the graph and says what it changed. It does not clean up: after every pass the
/// pipeline removes what nothing uses any more, sorts the nodes, infers types and verifies the
/// graph, and adds the pass's name to any error.
///
/// A pass of your own is a type with these three members:
///
///     struct RenameOutputs: Pass {
///       let name = "rename-outputs"
///       let summary = "Gives every output a short name."
///       func run(on graph: inout Graph) throws(GraphError) -> PassOutcome { … }
///     }
///
/// Put it where it belongs with ``PassPipeline/insert(_:before:)`` or ``PassPipeline/append(_:)``.
public protocol Pass: Sendable {
  /// Unique in a pipeline; lower case with hyphens; a verb first.
  var name: String { get }
  /// One line for lists of passes.
  var summary: String { get }
  /// Rewrites the graph.
  func run(on graph: inout Graph) throws(GraphError) -> PassOutcome
}

/// A pass after which the network may compute something else than its source, because the user
/// chose so. What a conversion changes is measured against the pipeline without such passes.
public protocol LossyPass: Pass {}

/// What a pass did.
public struct PassOutcome: Hashable, Sendable {
  /// One entry per rewrite.
  public var rewrites: [Rewrite]
  /// What the pass learned about the network on the way.
  public var findings: [Finding]

  public init(rewrites: [Rewrite] = [], findings: [Finding] = []) {
    self.rewrites = rewrites
    self.findings = findings
  }

  mutating func rewrote(_ node: Node, _ change: String) {
    rewrites.append(Rewrite(node: node.name, change: change))
  }
}

/// One change at a node.
public struct Rewrite: Hashable, Sendable {
  public var node: String
  public var change: String

  public init(node: String, change: String) {
    self.node = node
    self.change = change
  }
}

/// What the user should know about the network.
public enum Finding: Hashable, Sendable {
  /// A recognized activation sign.
  case sign(SignFinding)
  /// A convolution or matrix product that stays real-valued, and why.
  case keptFloat(node: String, reason: String)
  /// Weights that are ±α only up to rounding were made exactly so; the largest relative change.
  case removedResidue(node: String, relative: Float)
  /// The source computes in another precision; the conversion computes in float32.
  case computedInFloat32(ElementType)
  /// The kernels of a layer are chosen from few: how many different ones of how many.
  case codebook(node: String, kernels: Int, of: Int)
  /// Channels that were found to change nothing.
  case deadChannels(DeadChannels)
  /// Numbers that the storage that was asked for cannot hold; they stay float32.
  case notRounded(node: String, storage: FloatStorage)
  /// The kernels of a layer were replaced by the nearest of a codebook.
  case limitedKernels(LimitedKernels)
  /// Channels in which an exact zero can reach a plain `Sign`, whose bit the conversion chose.
  case reachableZeros(node: String, channels: Int)
  /// Real weights that were replaced by binary ones, and how well.
  case binarized(BinarizationFinding)
  /// A layer that was to be binarized and was not, and why.
  case notBinarized(node: String, reason: String)
  /// A choice of layers to binarize that matches none, and those that there are.
  case unmatched(LayerSelection, candidates: [String])
}

/// Channels of a layer that change nothing.
public struct DeadChannels: Hashable, Sendable {
  public var node: String
  public var channels: Int
  /// How many have a bit that no input changes.
  public var constant: Int
  /// How many were removed. The others stay, because a reader pads with zeros.
  public var removed: Int
}

/// What a codebook of few kernels changed in a layer.
public struct LimitedKernels: Hashable, Sendable {
  public var node: String
  /// How many different kernels the layer had, and has.
  public var before: Int
  public var after: Int
  /// The part of the weights that changed their sign.
  public var changedWeights: Double
  /// The energy of the change as a part of that of the weights, outputs weighted by their scale;
  /// with calibration, the energy of the change of the sums as a part of that of the sums.
  public var error: Double
}

/// A recognized activation sign.
public struct SignFinding: Hashable, Sendable {
  public var node: String
  /// How the source writes it, as operator names.
  public var spelling: String
  public var atZero: AtZero

  public enum AtZero: String, Hashable, Sendable {
    case plus, minus
    /// The source gives 0 often: two bits hold it.
    case zero
    /// The source gives 0, which a bit cannot hold; the option decided.
    case chosenPlus = "chosen-plus"
    case chosenMinus = "chosen-minus"
  }
}

/// The bit that stands for the 0 of a plain `Sign(0)`.
public enum SignOfZero: String, Hashable, Sendable, CaseIterable {
  case plus, minus
}
