import BNNTensor

extension FormatError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .broken(let violation): violation.description
    case .cannotRead(let path, let reason): "\(path): cannot be read: \(reason)"
    case .outputExists(let path): "\(path): exists already; ask for overwriting to replace it"
    case .cannotWrite(let path, let reason): "\(path): cannot be written: \(reason)"
    case .io(let path, let reason): "\(path): \(reason)"
    }
  }
}

extension FormatError.Violation: CustomStringConvertible {
  public var description: String {
    var place: [String] = []
    if let offset { place.append("at byte \(offset)") }
    if let section {
      place.append(section == .header ? "in the header" : "in section '\(section)'")
    }
    if let item { place.append("\(item)") }
    return place.isEmpty ? "\(rule)" : place.joined(separator: ", ") + ": \(rule)"
  }
}

extension FormatError.Item: CustomStringConvertible {
  public var description: String {
    switch self {
    case .value(let index, ""): "value \(index)"
    case .value(_, let name): "value '\(name)'"
    case .layer(let index, ""): "layer \(index)"
    case .layer(_, let name): "layer '\(name)'"
    case .tensor(let index): "tensor \(index)"
    }
  }
}

extension FormatError.Rule: CustomStringConvertible {
  public var description: String {
    containerText ?? recordText ?? valueText ?? layerText ?? "breaks a rule of the format"
  }

  private var containerText: String? {
    switch self {
    case .headerIncomplete(let bytes): "\(bytes) bytes are too few for a header"
    case .magic: "not a .bnn file, or one that a text conversion changed"
    case .byteOrder: "the byte order mark is wrong: the file was written in another byte order"
    case .version(let found): "version \(found) is not supported; this reader knows version 1"
    case .headerChecksum: "the header's checksum does not hold: the file is damaged"
    case .unknownFeatures(let bits):
      "needs features 0x\(String(bits, radix: 16)) that this reader does not have"
    case .features(let declared, let needed):
      "features 0x\(String(declared, radix: 16)) are declared where the contents need "
        + "0x\(String(needed, radix: 16))"
    case .reserved: "a reserved field is not 0"
    case .fileLength(let declared, let found):
      "the file should have \(declared) bytes and has \(found): it is truncated or was added to"
    case .fileTooLarge(let bytes): "\(bytes) bytes are more than the format allows"
    case .sectionCount(let found): "\(found) sections are not possible"
    case .tableChecksum: "the section table's checksum does not hold: the file is damaged"
    case .sectionOrder(let kind): "section kind \(kind) is repeated or out of order"
    case .sectionFlags(let kind, let flags): "section kind \(kind) has wrong flags \(flags)"
    case .unknownSection(let kind): "section kind \(kind) is required and not known"
    case .missingSection(let section): "section '\(section)' is missing"
    case .sectionOffset(let expected, let found):
      "a section starts at byte \(found) and should at \(expected)"
    case .sectionOutOfFile(let length): "a section of \(length) bytes ends after the file"
    case .trailingBytes(let count): "\(count) bytes follow the last section"
    case .paddingNotZero: "bytes between the parts are not 0"
    case .sectionChecksum: "the section's checksum does not hold: the file is damaged"
    default: nil
    }
  }

  private var recordText: String? {
    switch self {
    case .recordIncomplete: "a record runs past the end of its section"
    case .bytesAfterRecords(let count): "\(count) bytes follow the last record"
    case .integerNotShortest: "an integer is longer than it needs to be"
    case .integerTooLarge: "an integer is too large"
    case .count(let found, let room): "\(found) records do not fit into \(room) bytes"
    case .notUTF8: "a string is not UTF-8"
    case .unknownCode(let field, let value): "\(value) is no known code for '\(field)'"
    case .tensorRank(let rank): "a tensor cannot have \(rank) dimensions"
    case .tensorDimensions(let dimensions): "tensor dimensions \(dimensions) are out of range"
    case .tensorBytes(let expected, let found):
      "the tensor should have \(expected) bytes and has \(found)"
    case .tensorCoding(let coding, let type): "coding \(coding) is none for this tensor of \(type)"
    case .codedBytes(let raw, let found):
      "a coded tensor of \(found) bytes should be smaller than the raw \(raw) bytes"
    case .decodedBytes(let limit):
      "the coded tensors become more than the \(limit) bytes that a file of this length may ask for"
    case .codedTensor(let problem): "the coded tensor is wrong: \(problem)"
    case .tensorOutOfSection: "the tensor ends after its section"
    case .tensorReference(let found, let limit):
      "tensor \(found) is named where at most tensor \(limit) can be"
    case .unusedTensor: "the tensor is not used"
    case .tensorKind(let expected, let found):
      "a tensor of \(expected) is needed; this one is of \(found), or of another shape or place"
    case .bitsAfterEnd: "bits after the last element are not 0"
    case .boolElement: "an element of a tensor of bools is neither 0 nor 1"
    case .listOfOne: "a list of one entry is stored as a tensor"
    case .emptyName: "the name is empty"
    case .stringTooLong(let bytes): "a string of \(bytes) bytes is too long"
    case .controlCharacter: "a string has control characters"
    case .sourceNameHasFolder: "the source's name has a folder"
    case .optionOrder(let key): "option '\(key)' is repeated or out of order"
    case .duplicateName: "another value has the same name"
    default: nil
    }
  }

  private var valueText: String? {
    switch self {
    case .valueType(let type): "values of \(type) are not possible"
    case .valueRank(let rank): "a value of its type cannot have \(rank) dimensions"
    case .extent(let extent): "an extent of \(extent) is not possible"
    case .batchNotFirst: "a dimension after the first depends on the batch"
    case .valueTooLarge: "the value has too many elements"
    case .noOutputs: "the model has no outputs"
    case .valueIndex(let index): "there is no value \(index)"
    case .listedTwice: "the value is listed twice"
    case .twoProducers(let value): "value \(value) is made a second time"
    case .usedBeforeMade(let value): "value \(value) is read before it is made"
    case .neverMade: "nothing makes the value"
    case .neverUsed: "nothing uses the value"
    default: nil
    }
  }

  private var layerText: String? {
    switch self {
    case .operandCount(let expected, let found): "\(expected) operands are needed, not \(found)"
    case .resultCount(let expected, let found): "\(expected) results are made, not \(found)"
    case .operandType(let expected, let found): "an operand of \(expected) is needed, not \(found)"
    case .operandRank(let expected, let found):
      "an operand of \(expected) dimensions is needed, not \(found)"
    case .dynamicExtent: "an extent depends on the batch"
    case .channels(let expected, let found): "\(expected) channels are needed, not \(found)"
    case .weightsShape(let shape): "weights \(shape) do not fit the window and the groups"
    case .weightsCount(let expected, let found): "\(expected) weights are needed, not \(found)"
    case .groups(let groups, let outputs):
      "\(groups) groups do not divide \(outputs) output channels"
    case .window: "the window is out of range or does not fit into its input"
    case .poolPadding: "the padding is not smaller than the window"
    case .paddingOfReals: "real values can only be padded with 0"
    case .tooManyProducts(let count): "\(count) products are too many for an exact sum"
    case .weightOutOfRange: "a weight is −128; the smallest is −127"
    case .quantizationScale: "a scale is out of range"
    case .parameterCount(let channels, let found):
      "1 or \(channels) parameters are needed, not \(found)"
    case .boundIsNaN: "a bound is NaN"
    case .accumulatorBits: "bits by accumulator need a binary convolution without steps"
    case .broadcast(let operand, let result): "\(operand) cannot be broadcast to \(result)"
    case .axis(let axis): "there is no axis \(axis)"
    case .axisOrder: "axes are repeated or not in ascending order"
    case .permutation(let axes): "\(axes) is no permutation that keeps the batch first"
    case .acrossBatch: "the operation would mix entries of the batch"
    case .concatenation: "the operands do not agree"
    case .operandDimensions: "the operands have different dimensions"
    case .elementCount: "the number of elements changes"
    case .constantType: "a constant cannot have this type"
    case .unsupportedType(let type): "the operation does not work on \(type)"
    case .slice(let axis): "the slice leaves the operand along axis \(axis)"
    case .padding(let axis): "the padding along axis \(axis) is not possible"
    case .pickedCount(let count): "\(count) elements are more than there are"
    case .indexDimensions(let dimensions): "indices or updates cannot have dimensions \(dimensions)"
    case .resampleTable(let axis): "the table of axis \(axis) does not fit"
    case .emptyAxis(let axis): "there is nothing along axis \(axis)"
    case .resultType(let expected, let found): "the result is of \(expected), not \(found)"
    case .resultDimensions(let expected, let found):
      "the result has dimensions \(expected), not \(found)"
    default: nil
    }
  }
}

extension FormatError.CodingProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tooShort: "its bytes end too early"
    case .bytesLeft(let count): "\(count) bytes are left after its last element"
    case .planes(let set): "there are no such planes as 0x\(String(set, radix: 16)) marks"
    case .unusedBits: "bits that only fill a byte are not 0"
    case .integerNotShortest: "an integer is longer than it needs to be"
    case .numberTooLarge: "a number is too large"
    case .precision(let bits): "frequencies cannot have \(bits) bits"
    case .symbolCount(let count): "a table of \(count) symbols does not fit its precision"
    case .symbol(let symbol, let alphabet): "symbol \(symbol) is not below \(alphabet)"
    case .frequencies(let total): "frequencies add up to at least \(total), which is too many"
    case .startState: "a state of the entropy code starts too small"
    case .finalState: "a state of the entropy code does not end as it should"
    case .positionsHead(let byte): "\(byte) cannot stand before positions"
    case .positionCount(let count, let elements):
      "\(count) positions are more than half of \(elements) elements"
    case .position(let position, let elements):
      "position \(position) is not below \(elements)"
    }
  }
}
