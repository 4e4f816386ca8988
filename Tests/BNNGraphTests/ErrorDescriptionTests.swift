import BNNTensor
import Testing

import BNNGraph

@Suite struct ErrorDescriptionTests {
  @Test(
    arguments: [
      (.missingInput(index: 2), "input 2 is missing"),
      (
        .wrongRank(input: 0, expected: "2", found: [3]), "input 0: expected rank 2, found shape [3]"
      ),
      (
        .shapeMismatch(input: 1, expected: "[4]", found: [3]),
        "input 1: expected [4], found shape [3]"
      ),
      (
        .wrongElementType(input: 0, found: .int8),
        "input 0: the element type int8 does not fit here; cast it in the model"
      ),
      (
        .invalidAttribute(name: "group", value: "3", expected: "a divisor of 4"),
        "attribute 'group': expected a divisor of 4, found 3"
      ),
      (
        .invalidValue(input: 1, expected: "extents", found: "[-2]"),
        "input 1: expected extents, found [-2]"
      ),
      (.wrongOutputCount(expected: 2, found: 1), "makes 2 outputs, the node has 1"),
      (
        .unsupported("4 spatial dimensions"),
        "4 spatial dimensions: not supported; write the model without it"
      ),
      (
        .shapeDependsOnData(input: 1),
        "input 1 decides a shape but depends on the model's inputs; export the model with that "
          + "shape fixed"
      ),
      (.tooLarge([9]), "a result of shape [9] is larger than 2147483648 elements"),
    ] as [(OperatorError, String)])
  func operatorErrors(error: OperatorError, text: String) {
    #expect(error.description == text)
    #expect(
      GraphError.atNode(name: "conv1", op: "Conv", error).description
        == "node 'conv1' (Conv): \(text)")
  }

  @Test(
    arguments: [
      (
        .cycle(nodes: ["a", "b"]),
        "nodes depend on each other in a cycle: 'a', 'b'; export the model again"
      ),
      (
        .undefinedValue(name: "v", node: "n"),
        "node 'n': nothing makes the value 'v' that it uses"
      ),
      (.undefinedOutput(name: "y"), "nothing makes the output 'y'"),
      (.twoProducers(value: "v"), "the value 'v' is made twice"),
      (.inputWithoutType(name: "x"), "input 'x' has no type; give its shape"),
      (
        .irregularBatch(value: "v", batches: [2, 3], shapes: [[3], [4]]),
        "value 'v': the shapes [3], [4] for batches of 2, 3 follow no rule; fix the batch with an "
          + "input shape"
      ),
      (
        .wrongInputs(expected: ["x"], found: []), "expected the inputs 'x', found none"
      ),
      (
        .wrongInputs(expected: ["x"], found: (0..<12).map { "\($0)" }),
        "expected the inputs 'x', found '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' and 2 more"
      ),
      (
        .inputMismatch(name: "x", expected: "float32[N,2]", found: "int64[1]"),
        "input 'x': expected float32[N,2], found int64[1]"
      ),
    ] as [(GraphError, String)])
  func graphErrors(error: GraphError, text: String) {
    #expect(error.description == text)
  }
}
