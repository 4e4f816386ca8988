import BNNKit

/// What `bnnrun` prints.
struct RunResult: Encodable {
  var schemaVersion = 1
  var outputs: [Output]
  var accuracy: Accuracy?

  struct Output: Encodable {
    var name: String
    var elementType: String
    var shape: [Int]
    var minimum: Double?
    var maximum: Double?
    var file: String?
  }

  init(outputs: [NamedTensor], paths: [String: String], accuracy: Accuracy?) {
    self.outputs = outputs.map { output in
      let numbers = output.tensor.doubles.filter { !$0.isNaN }
      return Output(
        name: output.name, elementType: output.tensor.elementType.rawValue,
        shape: output.tensor.shape.dimensions, minimum: numbers.min(), maximum: numbers.max(),
        file: paths[output.name])
    }
    self.accuracy = accuracy
  }

  var text: String {
    var text = ""
    for output in outputs {
      text += "\(output.name): \(output.elementType) \(Shape(output.shape))"
      if let minimum = output.minimum, let maximum = output.maximum {
        text += ", \(minimum) to \(maximum)"
      }
      text += output.file.map { " -> \($0)\n" } ?? "\n"
    }
    if let accuracy {
      text += "accuracy: \(accuracy.right) of \(accuracy.images) right"
      text += " (\(Formatting.percent(accuracy.right, of: accuracy.images)))\n"
    }
    return text
  }
}

/// How many rows of scores have their largest score, the first of equal ones, at the right class.
/// Rows whose label is negative are not counted.
struct Accuracy: Encodable {
  var right: Int
  var images: Int

  init(scores: [NamedTensor], labels: Tensor, labelFile: String) throws(CommandError) {
    let count = labels.count
    guard labels.elementType.isInteger, count > 0, scores.count == 1,
      let tensor = scores.first?.tensor, tensor.shape.rank > 0, tensor.shape[0] == count,
      tensor.count > 0
    else {
      throw CommandError(
        .usage, file: labelFile,
        "labels have to be integers, one for each row of the model's only output")
    }
    images = labels.integers.count { $0 >= 0 }
    let values = tensor.doubles
    let width = values.count / count
    right = labels.integers.enumerated().count { row, label in
      let scores = values[row * width..<(row + 1) * width]
      let best = scores.indices.max {
        scores[$0] < scores[$1] || scores[$0] == scores[$1] && $0 > $1
      }
      return best.map { Int64($0 - scores.startIndex) } == label
    }
  }
}
