import ArgumentParser
import BNNKit

/// `bnninspect`: what is in a model file.
package struct InspectCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    tool: "bnninspect", abstract: "Show the structure, sizes and operations of a model.",
    discussion: """
      Reads .bnn, .onnx and .npz. Operations are multiply-accumulates for one image, split into \
      those of bits and those of real numbers.

      Example: bnninspect digits.bnn --json
      """)

  @Argument(help: "The model: .bnn, .onnx or .npz.")
  var model: String

  @OptionGroup var source: SourceOptions
  @OptionGroup var common: OutputOptions

  package init() {}

  package mutating func run() throws {
    switch try ModelFormat(ofFile: model, allowed: [.bnn, .onnx, .npz]) {
    case .bnn: try show(FileInspection(ModelLoader.file(model), path: model))
    case .npz where source.architecture == nil: try show(ArchiveInspection(path: model))
    case .onnx, .npz: try show(GraphInspection(ModelLoader.source(model, source), path: model))
    }
  }

  private func show(_ inspection: some Inspection) throws(CommandError) {
    if common.json {
      try JSONDocument.print(inspection)
    } else {
      try Console.writeResult(inspection.text)
    }
  }
}

/// What `bnninspect` prints about one kind of file.
protocol Inspection: Encodable {
  var text: String { get }
}

struct PortFacts: Encodable {
  var name: String
  var elementType: String
  /// Extents; an open batch as "N".
  var shape: [String]

  init(_ port: Port) {
    name = port.name
    elementType = port.elementType.rawValue
    shape = port.dimensions?.map(\.description) ?? []
  }

  var text: String { "\(name): \(elementType) [\(shape.joined(separator: ","))]" }
}
