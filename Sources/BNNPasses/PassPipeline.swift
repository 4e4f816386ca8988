import BNNGraph

/// An ordered list of passes that users may change.
///
///     var pipeline = PassPipeline.standard()
///     try pipeline.insert(MyPass(), before: "fuse-blocks")
///     let reports = try pipeline.run(on: &graph)
public struct PassPipeline: Sendable {
  /// The passes in the order in which they run. Names are unique.
  public private(set) var passes: [any Pass]

  public init(_ passes: [any Pass] = []) { self.passes = passes }

  /// The passes that turn an imported network into one that can be exported.
  public static func standard(signOfZero: SignOfZero = .plus) -> PassPipeline {
    PassPipeline([
      FoldConstants(),
      ComputeInFloat32(),
      WidenIntegers(),
      EliminateIdentities(),
      // Every later pass looks for the channels along axis 1.
      MoveTransposes(),
      NarrowAdditions(),
      DecomposeTransposedConvolutions(),
      // Needs constants without needless extents; makes channels of what signs are tested with.
      FlattenThermometers(),
      // Needs folded constants; every later pass looks for Binarize.
      CanonicalizeSigns(signOfZero: signOfZero),
      CanonicalizeProducts(),
      CanonicalizePooling(),
      FactorActivations(),
      FoldPadding(),
      MoveReshapes(),
      CanonicalizeActivations(),
      // Before weights are looked at: the branches of a split are one convolution.
      MergeSplitConvolutions(),
      FoldChannelShuffles(),
      // A block-diagonal weight has zeros, which binarization would refuse.
      SplitBlockDiagonals(),
      BinarizeWeights(),
      PackBits(),
      // From here on binary convolutions are known by their operator.
      FoldThresholds(),
      // After thresholds are known: signs of one value with the same thresholds are one.
      EliminateDuplicates(),
      FuseBlocks(),
      // Blocks show which bits no sum can change.
      RemoveDeadChannels(),
      // Last: what is left has to be said with the operations that files have.
      DecomposeOperators(),
    ])
  }

  /// The position of a pass.
  public func index(of name: String) -> Int? { passes.firstIndex { $0.name == name } }

  public mutating func append(_ pass: any Pass) throws(PassError) {
    guard index(of: pass.name) == nil else { throw .duplicateName(pass.name) }
    passes.append(pass)
  }

  public mutating func insert(_ pass: any Pass, before name: String) throws(PassError) {
    guard index(of: pass.name) == nil else { throw .duplicateName(pass.name) }
    passes.insert(pass, at: try position(of: name))
  }

  public mutating func insert(_ pass: any Pass, after name: String) throws(PassError) {
    guard index(of: pass.name) == nil else { throw .duplicateName(pass.name) }
    passes.insert(pass, at: try position(of: name) + 1)
  }

  public mutating func remove(_ name: String) throws(PassError) {
    passes.remove(at: try position(of: name))
  }

  private func position(of name: String) throws(PassError) -> Int {
    guard let index = index(of: name) else {
      throw .unknownPass(name, known: passes.map(\.name))
    }
    return index
  }

  /// Runs the passes in order on a graph and cleans up after each. At the end the order of the
  /// nodes depends on nothing but the graph's structure.
  ///
  /// - Parameters:
  ///   - graph: an imported graph; on an error its state is unspecified.
  ///   - observer: called after each pass with the cleaned-up graph.
  /// - Returns: one report per pass.
  /// - Throws: ``PassError/failed(pass:_:)`` with the pass that failed, or after which the graph
  ///   is not valid. The name of the pass is "import" for a graph that is not valid at the start.
  @discardableResult
  public func run(
    on graph: inout Graph, observer: (PassReport, Graph) -> Void = { _, _ in }
  ) throws(PassError) -> [PassReport] {
    try PassPipeline.attempt("import") { () throws(GraphError) in
      try PassPipeline.cleanUp(&graph)
    }
    var reports: [PassReport] = []
    for pass in passes {
      let outcome = try PassPipeline.attempt(pass.name) { () throws(GraphError) in
        let outcome = try pass.run(on: &graph)
        try PassPipeline.cleanUp(&graph)
        return outcome
      }
      let report = PassReport(pass: pass.name, outcome: outcome)
      reports.append(report)
      observer(report, graph)
    }
    try PassPipeline.attempt("sorting") { () throws(GraphError) in try graph.sortByStructure() }
    return reports
  }

  private static func cleanUp(_ graph: inout Graph) throws(GraphError) {
    try graph.removeDeadNodes()
    try graph.inferTypes()
    try graph.verify()
  }

  private static func attempt<Result>(
    _ pass: String, _ body: () throws(GraphError) -> Result
  ) throws(PassError) -> Result {
    do {
      return try body()
    } catch {
      throw .failed(pass: pass, error)
    }
  }
}

/// What one pass of a run did.
public struct PassReport: Hashable, Sendable {
  public var pass: String
  public var outcome: PassOutcome
}

/// What can go wrong with a pipeline.
public enum PassError: Error, Hashable, Sendable {
  case duplicateName(String)
  case unknownPass(String, known: [String])
  /// An option that a file records, of another version.
  case unknownOption(key: String, value: String)
  /// A pass threw, or left a graph that is not valid.
  case failed(pass: String, GraphError)
}

extension PassError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .duplicateName(let name):
      "there is already a pass '\(name)': give the new one another name"
    case .unknownPass(let name, let known):
      "there is no pass '\(name)': the passes are \(known.joined(separator: ", "))"
    case .unknownOption(let key, let value):
      "the option '\(key)' has the value '\(value)', which this version does not know"
    case .failed("import", let error): "\(error)"
    case .failed(let pass, let error): "\(error) (in pass '\(pass)')"
    }
  }
}
