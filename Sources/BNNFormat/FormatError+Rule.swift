import BNNTensor

extension FormatError {
  /// The rules of the format, in the order in which a file is checked.
  public enum Rule: Error, Hashable, Sendable {
    // The container.

    /// A file holds at least a header.
    case headerIncomplete(bytes: Int)
    /// A file starts with the magic bytes.
    case magic
    /// The byte order mark reads as written.
    case byteOrder
    /// The version is one that this reader knows.
    case version(found: UInt32)
    /// The header's checksum holds.
    case headerChecksum
    /// Every feature that a reader must have is known.
    case unknownFeatures(bits: UInt64)
    /// The features that a file declares are those that its layers and tensors need.
    case features(declared: UInt64, needed: UInt64)
    /// Reserved fields are 0.
    case reserved
    /// The declared length is the file's.
    case fileLength(declared: UInt64, found: Int)
    /// A file has at most ``FileLayout/maximumLength`` bytes.
    case fileTooLarge(bytes: UInt64)
    /// The number of sections is possible.
    case sectionCount(found: UInt32)
    /// The section table's checksum holds.
    case tableChecksum
    /// Kinds of sections ascend strictly.
    case sectionOrder(kind: UInt32)
    /// Known sections are required, unknown ones optional; other flags are 0.
    case sectionFlags(kind: UInt32, flags: UInt32)
    /// A section of an unknown kind is marked as optional.
    case unknownSection(kind: UInt32)
    /// Every required section is there.
    case missingSection(FileSection)
    /// A section starts where the one before ends, rounded up to the alignment.
    case sectionOffset(expected: UInt64, found: UInt64)
    /// A section ends inside the file.
    case sectionOutOfFile(length: UInt64)
    /// The last section ends the file.
    case trailingBytes(count: Int)
    /// Bytes that only align what follows are 0.
    case paddingNotZero
    /// A section's checksum holds.
    case sectionChecksum

    // Records.

    /// A record ends inside its section.
    case recordIncomplete
    /// A section ends with its last record.
    case bytesAfterRecords(count: Int)
    /// An integer is written with as few bytes as it needs.
    case integerNotShortest
    /// An integer has at most 62 bits.
    case integerTooLarge
    /// There is room for as many records as a count says.
    case count(found: Int, room: Int)
    /// Strings are UTF-8.
    case notUTF8
    /// An enumerated field has one of its values.
    case unknownCode(CodedField, value: UInt8)

    // Tensors.

    /// A tensor has at most 8 dimensions.
    case tensorRank(Int)
    /// The product of a tensor's dimensions is in range.
    case tensorDimensions([Int])
    /// A tensor has as many bytes as its type, shape and coding say.
    case tensorBytes(expected: Int, found: Int)
    /// A tensor has a coding for its type and dimensions.
    case tensorCoding(UInt8, ElementType)
    /// A coded tensor has fewer bytes than a raw one.
    case codedBytes(raw: Int, found: Int)
    /// Coded tensors become no more bytes than a file of its length may ask for.
    case decodedBytes(limit: Int)
    /// The bytes of a coded tensor are those of one.
    case codedTensor(CodingProblem)
    /// A tensor's bytes end inside their section.
    case tensorOutOfSection
    /// Tensors are numbered in the order of their first use.
    case tensorReference(found: Int, expectedAtMost: Int)
    /// Every tensor is used.
    case unusedTensor
    /// A tensor has the type, the rank and the place that its use asks for.
    case tensorKind(expected: ElementType, found: ElementType)
    /// The bits after a tensor's last element are 0.
    case bitsAfterEnd
    /// The elements of a tensor of bools are 0 or 1.
    case boolElement
    /// A list of one entry stands in the record.
    case listOfOne

    // Names and metadata.

    /// A name that must be there is not empty.
    case emptyName
    /// A string has at most ``FileLayout/maximumStringLength`` bytes.
    case stringTooLong(bytes: Int)
    /// A string has no control characters.
    case controlCharacter
    /// The source's name has no folder.
    case sourceNameHasFolder
    /// Options ascend strictly by key.
    case optionOrder(key: String)
    /// No two values have one name.
    case duplicateName

    // Values.

    /// A value is of float32, int32, int64, bool or signs.
    case valueType(ElementType)
    /// A value has at most 8 dimensions; one of signs at least 1.
    case valueRank(Int)
    /// Extents are at least 0, multiples of the batch at least 1.
    case extent(Int)
    /// Only the first dimension depends on the batch.
    case batchNotFirst
    /// A value has at most ``FileLayout/maximumElements`` elements per batch entry.
    case valueTooLarge
    /// A model has an output.
    case noOutputs
    /// An index names a value.
    case valueIndex(Int)
    /// A value is listed once among the inputs, and once among the outputs.
    case listedTwice
    /// A value has one producer: a model input or a layer.
    case twoProducers(value: Int)
    /// A layer reads model inputs and what layers before it made.
    case usedBeforeMade(value: Int)
    /// Every value has a producer.
    case neverMade
    /// What a layer makes is read by a layer or is an output.
    case neverUsed

    // Layers.

    /// A layer has the operands that its operation and its epilogue need.
    case operandCount(expected: Int, found: Int)
    /// A layer has the results that its operation makes.
    case resultCount(expected: Int, found: Int)
    /// Operands are of the type that the operation works on.
    case operandType(expected: ElementType, found: ElementType)
    /// An operand has a rank that the operation works on.
    case operandRank(expected: Int, found: Int)
    /// Extents that the operation looks at do not depend on the batch.
    case dynamicExtent
    /// Input channels are those of the weights.
    case channels(expected: Int, found: Int)
    /// Weights have the dimensions [O, kernel…, C / groups].
    case weightsShape(Shape)
    /// Weights have as many elements as their shape says.
    case weightsCount(expected: Int, found: Int)
    /// Groups are at least 1 and divide the output channels.
    case groups(Int, outputs: Int)
    /// A window's numbers are in range, and it fits into its padded input.
    case window
    /// A pooling window's padding is smaller than the window.
    case poolPadding
    /// Real values are padded with 0.
    case paddingOfReals
    /// An accumulator has at most ``FileLayout/maximumProducts`` products.
    case tooManyProducts(Int)
    /// A weight of one byte is from −127 to 127.
    case weightOutOfRange
    /// Scales are positive, and their products normal numbers.
    case quantizationScale
    /// A list of parameters has one entry, or one per channel.
    case parameterCount(channels: Int, found: Int)
    /// A bound is not NaN.
    case boundIsNaN
    /// Bits by accumulator need a binary convolution and no steps.
    case accumulatorBits
    /// An epilogue's operand can be broadcast to the layer's result.
    case broadcast(operand: [Dimension], result: [Dimension])
    /// An axis is one of the operand's.
    case axis(Int)
    /// Axes are given once, in ascending order.
    case axisOrder
    /// A permutation names each axis once and keeps the batch first.
    case permutation([Int])
    /// The batch is not joined with anything fixed, nor reduced.
    case acrossBatch
    /// Operands of a concatenation agree in type and all other dimensions.
    case concatenation
    /// Operands of a product of signs have the same dimensions.
    case operandDimensions
    /// A reshape keeps the number of elements.
    case elementCount
    /// A constant is of float32, int32, int64 or bool.
    case constantType
    /// An operation works on the type of its operand.
    case unsupportedType(ElementType)
    /// A slice lies in its operand.
    case slice(Int)
    /// Padding is possible along an axis.
    case padding(Int)
    /// No more elements are picked than there are.
    case pickedCount(Int)
    /// Indices and updates have the dimensions that their operand asks for.
    case indexDimensions([Dimension])
    /// The tables of a resampled axis agree with it and with each other.
    case resampleTable(axis: Int)
    /// There is something along an axis in which the largest element is searched.
    case emptyAxis(Int)
    /// A result has the type that the operation gives.
    case resultType(expected: ElementType, found: ElementType)
    /// A result has the dimensions that the operation gives.
    case resultDimensions(expected: [Dimension], found: [Dimension])
  }

  /// What is wrong with the bytes of a coded tensor.
  public enum CodingProblem: Error, Hashable, Sendable {
    /// They end too early.
    case tooShort
    /// Some are left after the last element.
    case bytesLeft(Int)
    /// Planes are marked that the coding does not have.
    case planes(UInt8)
    /// Bits that only fill a byte are not 0.
    case unusedBits
    /// An integer has more bytes than it needs.
    case integerNotShortest
    /// A number is larger than any that can be there.
    case numberTooLarge
    /// Frequencies have at most 12 bits, and not many more than the symbols of the stream need.
    case precision(Int)
    /// A table of symbols has as many as its precision allows, and one only with precision 0.
    case symbolCount(Int)
    /// Symbols are in range.
    case symbol(Int, alphabet: Int)
    /// Frequencies add up to 2^precision.
    case frequencies(total: Int)
    /// A state of the entropy code is at least 2¹⁶ at the start …
    case startState
    /// … and 2¹⁶ at the end.
    case finalState
    /// Reserved bits before positions are 0.
    case positionsHead(UInt8)
    /// At most half of the elements are listed.
    case positionCount(Int, elements: Int)
    /// A position is that of an element.
    case position(Int, elements: Int)
  }

  /// The enumerated one-byte fields.
  public enum CodedField: String, Hashable, Sendable {
    case elementType, coding, place, operation, padding, flag, poolKind, reduceKind
    case outputKind, thresholdForm, step, function, listForm, elementwise, padMode
    case scatterReduction
  }
}
