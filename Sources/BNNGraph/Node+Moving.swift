extension Node {
  /// The inputs whose elements the results consist of, where the node copies elements and computes
  /// nothing; empty for any other node. A constant that pads is not among them.
  package var movedInputs: [ValueID] {
    switch op {
    case .concat: return inputs.compactMap { $0 }
    case .reshape, .flatten, .transpose, .squeeze, .unsqueeze, .identity, .gather,
      .gatherElements, .gatherND, .split, .slice, .expand, .tile, .pad:
      return input(0).map { [$0] } ?? []
    case .resize(let resize):
      guard case .nearest = resize.mode, resize.coordinates != .tensorFlowCrop else { return [] }
      return input(0).map { [$0] } ?? []
    default: return []
    }
  }
}
