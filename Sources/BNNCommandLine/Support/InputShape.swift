import ArgumentParser

/// `[NAME=]1,3,224,224`; a dimension that stays open is written `N` or `?`.
struct InputShape: ExpressibleByArgument, Hashable {
  var name: String?
  var dimensions: [Int?]

  init?(argument: String) {
    var list = argument[...]
    if let separator = argument.lastIndex(of: "=") {
      name = String(argument[..<separator])
      list = argument[argument.index(after: separator)...]
    }
    var dimensions: [Int?] = []
    for item in list.split(separator: ",", omittingEmptySubsequences: false) {
      if item == "N" || item == "?" {
        dimensions.append(nil)
      } else if let extent = Int(item), extent > 0 {
        dimensions.append(extent)
      } else {
        return nil
      }
    }
    self.dimensions = dimensions
  }
}
