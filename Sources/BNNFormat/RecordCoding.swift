import BNNTensor

/// Writes layer records; the tensors that they name collect in a pool.
struct RecordWriter {
  var bytes = ByteWriter()
  var pool = TensorPool()

  /// One number stands in the record, several in a tensor.
  mutating func list(_ values: [Float]) {
    if values.count == 1 {
      bytes.byte(ListForm.one.rawValue)
      bytes.float(values[0])
    } else {
      bytes.byte(ListForm.tensor.rawValue)
      bytes.integer(pool.floats(values))
    }
  }

  mutating func list(_ values: [Int32]) {
    if values.count == 1 {
      bytes.byte(ListForm.one.rawValue)
      bytes.fixed(values[0])
    } else {
      bytes.byte(ListForm.tensor.rawValue)
      bytes.integer(pool.integers(values))
    }
  }

  mutating func list(_ values: [Bool]) {
    if values.count == 1 {
      bytes.byte(ListForm.one.rawValue)
      bytes.flag(values[0])
    } else {
      bytes.byte(ListForm.tensor.rawValue)
      bytes.integer(pool.bits(values))
    }
  }
}

/// Reads layer records together with the tensors that they name.
struct RecordReader {
  var bytes: ByteReader
  var store: TensorStore

  private mutating func form() throws(FormatError) -> ListForm {
    try bytes.code(.listForm, ListForm.init(rawValue:))
  }

  mutating func floats() throws(FormatError) -> [Float] {
    switch try form() {
    case .one: [try bytes.float()]
    case .tensor: try store.floats(&bytes)
    }
  }

  mutating func integers() throws(FormatError) -> [Int32] {
    switch try form() {
    case .one: [try bytes.fixed()]
    case .tensor: try store.integers(&bytes)
    }
  }

  mutating func bits() throws(FormatError) -> [Bool] {
    switch try form() {
    case .one: [try bytes.flag()]
    case .tensor: try store.bits(&bytes)
    }
  }
}

/// How a list of parameters is stored.
private enum ListForm: UInt8 {
  case one = 0, tensor = 1
}
