import BNNGraph
import BNNTensor

/// Lets networks of half or double precision compute in float32, as every later pass and the
/// runtime do.
///
/// Before: inputs, constants and casts of float16, bfloat16 or float64.
/// After: the same of float32, with the constants' values as they were stored.
///
/// Runtimes without arithmetic of half precision compute such networks in float32 too and round
/// only what they hand on. Weights that a network computes in double precision are computed so
/// before this pass.
public struct ComputeInFloat32: Pass {
  public let name = "compute-in-float32"
  public let summary = "Computes in float32 what the source computes in half or double precision."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    var types: Set<ElementType> = []
    for id in graph.valueIDs {
      if let tensor = graph[id].constant, tensor.elementType.isOtherFloat {
        types.insert(tensor.elementType)
        graph[id].constant = Tensor(tensor.floats, shape: tensor.shape)
        graph[id].type?.elementType = .float32
      } else if graph.inputs.contains(id), let type = graph[id].type?.elementType,
        type.isOtherFloat
      {
        types.insert(type)
        graph[id].type?.elementType = .float32
      }
    }
    for index in graph.nodes.indices {
      switch graph.nodes[index].op {
      case .cast(let cast) where cast.to.isOtherFloat:
        types.insert(cast.to)
        graph.nodes[index].op = .cast(Cast(to: .float32))
      case .constantOfShape(let constant) where constant.value.elementType.isOtherFloat:
        types.insert(constant.value.elementType)
        let value = Tensor(constant.value.floats, shape: constant.value.shape)
        graph.nodes[index].op = .constantOfShape(ConstantOfShape(value: value))
      default: continue
      }
      outcome.rewrote(graph.nodes[index], "float32 in its place")
    }
    outcome.findings = types.sorted { $0.rawValue < $1.rawValue }.map { .computedInFloat32($0) }
    return outcome
  }
}

extension ElementType {
  /// Whether it is of real numbers but not float32.
  fileprivate var isOtherFloat: Bool { isFloatingPoint && self != .float32 }
}
