import BNNKit

// What `bnnconvert` lists instead of converting.

extension ConvertCommand {
  var printsAndStops: Bool { listPasses || listArchitectures || describe != nil }

  func printList(_ pipeline: PassPipeline) throws(CommandError) {
    if let describe {
      try show(
        ArchitectureDetails(
          ModelLoader.architecture(describe), settings: sourceOptions.architectureSettings()))
    } else if listArchitectures {
      try show(ArchitectureList())
    } else {
      try show(PassList(pipeline))
    }
  }

  private func show(_ list: some Inspection) throws(CommandError) {
    if common.json {
      try JSONDocument.print(list)
    } else {
      try Console.writeResult(list.text)
    }
  }
}

/// What `bnnconvert --list-passes` prints.
private struct PassList: Inspection {
  var schemaVersion = 1
  var passes: [Entry]

  init(_ pipeline: PassPipeline) {
    passes = pipeline.passes.map { Entry(name: $0.name, summary: $0.summary) }
  }

  struct Entry: Encodable {
    var name: String
    var summary: String
  }

  var text: String {
    var table = TextTable([("pass", .left), ("what it does", .left)])
    for pass in passes { table.add([pass.name, pass.summary]) }
    return table.text
  }
}
