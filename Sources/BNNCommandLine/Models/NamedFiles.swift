/// Arguments of the form `[NAME=]FILE`, matched with the names of a model's inputs or outputs.
struct NamedFiles {
  /// The option, for messages.
  var option: String
  var arguments: [String]

  /// One path per name that has one. The name may be left out when the model has only one.
  func resolved(for names: [String]) throws(CommandError) -> [String: String] {
    var paths: [String: String] = [:]
    for argument in arguments {
      let (name, path) = try split(argument, names: names)
      guard paths[name] == nil else {
        throw CommandError(.usage, "\(option) \(argument): '\(name)' has a file already")
      }
      paths[name] = path
    }
    return paths
  }

  private func split(
    _ argument: String, names: [String]
  ) throws(CommandError) -> (name: String, path: String) {
    // A name may itself contain '=': the longest that fits is meant.
    let matches = names.filter { argument.hasPrefix($0 + "=") }
    if let name = matches.max(by: { $0.utf8.count < $1.utf8.count }) {
      return (name, String(argument.dropFirst(name.count + 1)))
    }
    if names.count == 1 {
      if let separator = argument.firstIndex(of: "="), !argument[..<separator].contains("/") {
        throw unknownName(argument, names)
      }
      return (names[0], argument)
    }
    guard argument.contains("=") else {
      throw CommandError(
        .usage,
        "\(option) \(argument): the model has \(names.count); write NAME=FILE with one of "
          + NamedFiles.list(names))
    }
    throw unknownName(argument, names)
  }

  private func unknownName(_ argument: String, _ names: [String]) -> CommandError {
    let hint = names.isEmpty ? "the model has none" : "expected \(NamedFiles.list(names))"
    return CommandError(.usage, "\(option) \(argument): no such name; \(hint)")
  }

  static func list(_ names: [String]) -> String {
    names.map { "'\($0)'" }.joined(separator: ", ")
  }
}
