import BNNKit

/// What `bnnconvert --list-architectures` prints.
struct ArchitectureList: Inspection {
  var schemaVersion = 1
  var architectures: [Entry]

  struct Entry: Encodable {
    var name: String
    var summary: String
  }

  init() throws(CommandError) {
    architectures = []
    for name in Architecture.names {
      architectures.append(
        Entry(name: name, summary: try ModelLoader.architecture(name).summary))
    }
  }

  var text: String {
    var table = TextTable([("architecture", .left), ("what it is", .left)])
    for entry in architectures { table.add([entry.name, entry.summary]) }
    return table.text
  }
}

/// What `bnnconvert --describe NAME` prints.
struct ArchitectureDetails: Inspection {
  var schemaVersion = 1
  var name: String
  var summary: String
  var settings: [Setting]
  /// The arrays that it reads, with the settings that were given.
  var parameters: [Parameter]

  struct Setting: Encodable {
    var name: String
    var summary: String
    var defaultValue: String
    var expected: String
    /// Whether the checkpoint shows it where it is not set.
    var isFound: Bool
  }

  struct Parameter: Encodable {
    var names: [String]
    var shape: [Int]?

    /// Without Keras's spellings where the first one is not Keras's.
    var usualNames: [String] {
      names.filter { $0.contains("/") == names.first?.contains("/") }
    }
  }

  init(_ architecture: Architecture, settings given: [String: String]) throws(CommandError) {
    name = architecture.name
    summary = architecture.summary
    settings = architecture.settings.map {
      Setting(
        name: $0.name, summary: $0.summary, defaultValue: $0.defaultValue,
        expected: $0.expected, isFound: $0.isFound)
    }
    do {
      parameters = try architecture.parameters(settings: given).map {
        Parameter(names: $0.names, shape: $0.shape)
      }
    } catch {
      throw CommandError(error)
    }
  }

  var text: String {
    var table = TextTable([
      ("setting", .left), ("default", .left), ("values", .left), ("what it is", .left),
    ])
    for setting in settings {
      table.add([
        setting.name, setting.defaultValue + (setting.isFound ? " (else as found)" : ""),
        setting.expected, setting.summary,
      ])
    }
    var arrays = TextTable([("array", .left), ("shape", .left)])
    for parameter in parameters {
      arrays.add([
        parameter.usualNames.joined(separator: " or "),
        parameter.shape.map { Shape($0).description } ?? "any",
      ])
    }
    return "\(name): \(summary)\n\n\(table.text)\n\(arrays.text)"
  }
}
