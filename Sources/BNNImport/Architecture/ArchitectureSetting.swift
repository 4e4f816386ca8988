/// A variable of a description that its user may set, such as the width of a network.
struct ArchitectureSetting: Sendable {
  var name: String
  var summary: String
  var defaultValue: JSONValue
  /// The values there are; nil where any of the default's kind will do.
  var choices: [JSONValue]?
  /// Expressions on the checkpoint's arrays that find the value where none is given: the first one
  /// that has a value counts.
  var inferences: [JSONValue]
  var place: JSONPlace

  /// What the name of a setting stands for that every description has.
  static let prefixName = "prefix"

  static func all(in reader: JSONObjectReader) throws(ImportFault) -> [ArchitectureSetting] {
    var result: [ArchitectureSetting] = []
    let members = try reader.object("settings") ?? [:]
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      let place = reader.place(of: "settings").member(name)
      guard name != prefixName else { throw place.fault(.duplicateValue(name: name)) }
      let setting = try JSONObjectReader(value, at: place)
      let defaultValue = try setting.required("default", setting.source("default"))
      let choices = try setting.array("choices")
      guard choices?.contains(defaultValue) != false else {
        throw setting.fault(.wrongJSONType(expected: "one of the choices"), key: "default")
      }
      result.append(
        ArchitectureSetting(
          name: name, summary: try setting.required("summary", try setting.string("summary")),
          defaultValue: defaultValue, choices: choices,
          inferences: try inferences(setting), place: place))
      try setting.checkKeys()
    }
    return result
  }

  private static func inferences(
    _ setting: JSONObjectReader
  ) throws(ImportFault) -> [JSONValue] {
    guard let value = setting.source("infer") else { return [] }
    guard case .object = value else { return [value] }
    let reader = try JSONObjectReader(value, at: setting.place(of: "infer"))
    let alternatives = try reader.required("any_of", try reader.array("any_of"))
    try reader.checkKeys()
    return alternatives
  }

  /// What the arrays of a checkpoint show.
  fileprivate func found(in environment: ExpressionEnvironment) -> JSONValue? {
    for inference in inferences {
      if let value = try? inference.evaluated(in: environment, at: place), value != .null {
        return value
      }
    }
    return nil
  }

  /// The value that a text stands for: `4`, `true`, `[1, 2]`, `1,2` or a word.
  func value(of text: String) throws(ImportFault) -> JSONValue {
    let value =
      (try? JSONValue.parse(Array(text.utf8)))
      ?? (text.contains(",") ? try? JSONValue.parse(Array("[\(text)]".utf8)) : nil)
      ?? .string(text)
    guard accepts(value) else {
      throw ImportFault(.invalidSetting(name: name, found: text, expected: expected))
    }
    return value
  }

  private func accepts(_ value: JSONValue) -> Bool {
    if let choices { return choices.contains(value) }
    return switch (defaultValue, value) {
    case (.number, .number(let number)): number.isFinite
    case (.bool, .bool), (.string, .string): true
    // A list stands for one value per stage; one number stands for all.
    case (.array, .number), (.array, .array): true
    default: false
    }
  }

  /// The values that are accepted, in words.
  var expected: String {
    if let choices { return choices.map(\.text).joined(separator: ", ") }
    return switch defaultValue {
    case .number: "a number"
    case .bool: "true or false"
    case .array: "a number or a list"
    default: "a word"
    }
  }
}

/// How the settings of a description were filled in.
struct ResolvedSettings {
  /// In the order of the description.
  var values: [(name: String, value: JSONValue, origin: CheckpointUse.Origin)]

  var variables: [String: JSONValue] {
    Dictionary(values.map { ($0.name, $0.value) }) { first, _ in first }
  }

  /// Values that are given, else found in the checkpoint, else the defaults.
  ///
  /// - Parameter shape: the shapes of the checkpoint's arrays; nil where there is no checkpoint.
  init(
    _ settings: [ArchitectureSetting], given: [String: JSONValue],
    shape: ((String) -> [Int]?)?
  ) {
    values = []
    for setting in settings {
      // Settings before this one are known by then.
      let known = Dictionary(values.map { ($0.name, $0.value) }) { first, _ in first }
      let found = shape.flatMap {
        setting.found(in: ExpressionEnvironment(variables: known, shape: $0))
      }
      if let value = given[setting.name] {
        values.append((setting.name, value, .given))
      } else if let found {
        values.append((setting.name, found, .found))
      } else {
        values.append((setting.name, setting.defaultValue, .assumed))
      }
    }
  }
}
