import BNNGraph
import BNNTensor

/// Puts the arrays of a checkpoint in the place of a graph's constants of the same names.
struct ParameterReplacement {
  private let arrays: [(name: String, tensor: Tensor)]

  init(_ arrays: [(name: String, tensor: Tensor)]) {
    self.arrays = arrays
  }

  func run(on graph: inout Graph) throws(ImportFault) -> CheckpointUse {
    var constants: [String: ValueID] = [:]
    for id in graph.valueIDs where graph[id].constant != nil { constants[graph[id].name] = id }
    let prefix = try CheckpointParameters.prefix(
      of: arrays.map(\.name), wanted: Set(constants.keys), preferred: [])
    var use = CheckpointUse(
      architecture: nil, settings: [], prefix: prefix, loadedArrays: 0, ignoredArrays: [])
    var problems: [ParameterProblem] = []
    for (name, tensor) in arrays {
      let own = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
      guard let id = constants[own], let old = graph[id].constant else {
        if let reason = CheckpointParameters.reasonToIgnore(name, prefix: prefix) {
          use.ignoredArrays.append(.init(name: name, reason: reason))
        } else {
          problems.append(
            .unexpected(name: name, nearest: nil).with(nearest: constants.keys.sorted()))
        }
        continue
      }
      guard old.shape == tensor.shape else {
        problems.append(
          .shape(name: name, found: tensor.shape.dimensions, expected: old.shape.dimensions))
        continue
      }
      graph[id].constant = try converted(tensor, to: old.elementType, name: name)
      use.loadedArrays += 1
    }
    guard problems.isEmpty else { throw ImportFault(.parameters(problems)) }
    guard use.loadedArrays > 0 else { throw ImportFault(.nothingReplaced) }
    return use
  }

  private func converted(
    _ tensor: Tensor, to type: ElementType, name: String
  ) throws(ImportFault) -> Tensor? {
    do throws(OperatorError) {
      return try Cast(to: type).evaluate([tensor]).first
    } catch {
      throw ImportFault(.operation(error), at: .entry(name: name))
    }
  }
}
