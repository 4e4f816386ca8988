import BNNKit

// What each error of the libraries means to a user: the exit code, and what to do where the
// library's own words cannot say it.

extension CommandError {
  init(_ error: ImportError) {
    var isDescription = false
    if case .block = error.place { isDescription = true }
    let remedy =
      switch error.reason {
      // A description is written by hand.
      case _ where isDescription: ""
      case .truncated, .empty, .invalidWireFormat, .notAModel, .noOperatorSet, .cycle,
        .undefinedValue, .duplicateValue, .wrongByteCount, .wrongElementCount, .elementOutOfRange:
        "; export the model again"
      case .unsupportedOperators, .unsupported: "; write the model without it"
      case .externalDataMissing, .externalDataTooShort: "; put it beside the model"
      case .notFound, .notARegularFile: "; check the path"
      default: ""
      }
    self.init(error.category.exitStatus, "\(error)\(remedy)")
  }

  init(_ error: ConversionError) {
    let status: ExitStatus =
      switch error {
      case .pass(_, .failed(_, let cause)), .export(_, .graph(let cause)):
        cause.exitStatus == .malformedInput ? .malformedInput : .unsupported
      case .pass, .export, .nothingBinary: .unsupported
      case .calibrationMissing, .noInputs, .binarizationWithoutCalibration, .otherCalibration,
        .nothingToBinarize, .noLayerToStore:
        .usage
      case .outputChange: .unsupported
      case .calibrationInputs(_, let cause): cause.exitStatus
      case .calibration(_, let cause): cause.exitStatus
      }
    self.init(status, "\(error)")
  }

  /// An error of a verification.
  init(_ error: VerificationError, source: String, model: String) {
    switch error {
    case .graph(let cause): self.init(cause, file: source)
    case .runtime(let cause): self.init(cause, file: model)
    case .export: self.init(.unsupported, file: source, "\(error)")
    case .unsupportedInput: self.init(.unsupported, file: source, "\(error); give --input")
    case .wrongTensor, .unknownOutput: self.init(.usage, file: source, "\(error)")
    }
  }

  init(_ error: RuntimeError, file path: String) {
    self.init(error.exitStatus, file: path, "\(error)")
  }

  init(_ error: GraphError, file path: String) {
    self.init(error.exitStatus, file: path, "\(error)")
  }

  /// An error of a `.bnn` that is read or written.
  init(_ error: FormatError, file path: String) {
    switch error {
    case .broken(let violation):
      let remedy =
        switch violation.rule {
        case .version, .unknownFeatures, .unknownSection: "use a newer version of the toolkit"
        default: "convert the source again, or get the file again"
        }
      self.init(.malformedInput, file: path, "\(violation); \(remedy)")
    case .outputExists(let path):
      self.init(.cannotCreate, file: path, "exists already; use --force to replace it")
    case .cannotRead: self.init(.noInput, "\(error); check the path")
    case .cannotWrite: self.init(.cannotCreate, "\(error); choose another path")
    case .io: self.init(.inputOutput, "\(error)")
    }
  }
}

extension ImportError.Category {
  var exitStatus: ExitStatus {
    switch self {
    case .usage: .usage
    case .malformed: .malformedInput
    case .unsupported: .unsupported
    case .missingFile: .noInput
    case .cannotCreate: .cannotCreate
    case .io: .inputOutput
    }
  }
}

extension RuntimeError {
  var exitStatus: ExitStatus {
    switch self {
    case .missingInput, .unknownInput, .wrongType, .wrongShape, .inconsistentBatch,
      .unsupportedKernels, .threads:
      .usage
    case .tooLarge, .invalidValue, .invalidLayer, .indexOutOfRange: .malformedInput
    }
  }
}

extension GraphError {
  var exitStatus: ExitStatus {
    switch self {
    case .atNode(_, _, .unsupported), .atNode(_, _, .shapeDependsOnData), .atNode(_, _, .tooLarge),
      .inputWithoutType, .irregularBatch:
      .unsupported
    case .atNode, .cycle, .undefinedValue, .undefinedOutput, .twoProducers,
      .invalidInputType:
      .malformedInput
    case .wrongInputs, .inputMismatch: .usage
    }
  }
}
