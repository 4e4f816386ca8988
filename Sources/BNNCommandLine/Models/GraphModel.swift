import BNNKit

/// A source graph, run by the reference executor.
struct GraphModel: RunnableModel {
  private let executor: ReferenceExecutor
  private let fileName: String
  let inputs: [Port]
  let outputs: [Port]

  init(_ graph: Graph, fileName: String) {
    executor = ReferenceExecutor(graph)
    self.fileName = fileName
    inputs = graph.inputs.map { Port(graph[$0]) }
    outputs = graph.outputs.map { Port(graph[$0]) }
  }

  var kernels: String { "reference" }

  func run(_ inputs: [String: Tensor]) throws(CommandError) -> [NamedTensor] {
    let results: [ValueID: Tensor]
    do {
      results = try executor.run(inputs)
    } catch {
      throw CommandError(error, file: fileName)
    }
    return executor.graph.outputs.compactMap { id in
      results[id].map { NamedTensor(name: executor.graph[id].name, tensor: $0) }
    }
  }
}

extension Port {
  init(_ value: Value) {
    self.init(
      name: value.name, elementType: value.type?.elementType ?? .float32,
      dimensions: value.type?.dimensions)
  }

  init(_ value: ModelValue) {
    self.init(name: value.name, elementType: value.elementType, dimensions: value.dimensions)
  }
}
