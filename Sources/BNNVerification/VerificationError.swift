import BNNExport
import BNNGraph
import BNNRuntime

/// Why a comparison could not be made. That two things differ is no error, but a verdict.
public enum VerificationError: Error, Hashable, Sendable {
  /// The source or the canonical graph does not run.
  case graph(GraphError)
  /// The canonical graph has no model to compare with.
  case export(ExportError)
  /// The model does not run.
  case runtime(RuntimeError)
  /// Inputs of a graph whose extents are not known, or have a type that is not supported.
  case unsupportedInput(name: String)
  /// A tensor does not fit the input or output of its name.
  case wrongTensor(name: String)
  /// A tensor is given for something that is no output.
  case unknownOutput(name: String, known: [String])
}

extension VerificationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .graph(let error): "\(error)"
    case .export(let error): "\(error)"
    case .runtime(let error): "\(error)"
    case .unsupportedInput(let name): "input '\(name)' has no type that inputs can be made for"
    case .wrongTensor(let name): "the tensor for '\(name)' does not have its shape"
    case .unknownOutput(let name, let known):
      "there is no output '\(name)': the outputs are \(known.joined(separator: ", "))"
    }
  }
}

/// Runs code that throws one kind of error and names what it belongs to.
func attempt<Result>(
  graph body: () throws(GraphError) -> Result
) throws(VerificationError) -> Result {
  do { return try body() } catch { throw .graph(error) }
}

func attempt<Result>(
  runtime body: () throws(RuntimeError) -> Result
) throws(VerificationError) -> Result {
  do { return try body() } catch { throw .runtime(error) }
}
