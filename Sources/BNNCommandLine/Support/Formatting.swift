import Foundation

/// How numbers are shown to people.
enum Formatting {
  /// Digits in groups of three.
  static func grouped(_ number: Int) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    groups.insert(digits, at: 0)
    return (number < 0 ? "-" : "") + groups.joined(separator: ",")
  }

  static func fixed(_ number: Double, digits: Int) -> String {
    String(format: "%.\(digits)f", number)
  }

  static func scientific(_ number: Double) -> String {
    number == 0 ? "0" : String(format: "%.2e", number)
  }

  static func percent(_ part: Int, of whole: Int) -> String {
    whole == 0 ? "-" : fixed(100 * Double(part) / Double(whole), digits: 2) + " %"
  }
}
