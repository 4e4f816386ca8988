import BNNGraph
import BNNTensor
import Testing

@testable import BNNImport

/// What differs between operator sets, and what one node becomes.
@Suite struct OperatorImportTests {
  /// Runs one node on x [1,1,1,4] = −2, −0.5, 0.5, 2.
  private func run(
    _ op: String, attributes: [Message] = [], operatorSet: Int64 = 17,
    constants: [(String, Tensor)] = [], inputs: [String]? = nil
  ) throws -> Tensor {
    let model = try importModel(
      Sample.model(
        nodes: [
          Sample.node(op, inputs ?? ["x"] + constants.map(\.0), ["y"], attributes: attributes)
        ],
        inputs: [Sample.input("x", [1, 1, 1, 4])],
        initializers: constants.map { name, tensor in
          Sample.tensor(
            name, tensor.shape.dimensions.map { Int64($0) },
            type: tensor.elementType == .int64 ? 7 : 1,
            raw: tensor.elementType == .int64
              ? littleEndian(tensor.integers) : littleEndian(tensor.floats))
        }, operatorSet: operatorSet))
    return try #require(
      try model.run(["x": Tensor([Float(-2), -0.5, 0.5, 2], shape: [1, 1, 1, 4])]))
  }

  private func integers(_ values: Int64...) -> Tensor { Tensor(values, shape: [values.count]) }

  @Test func `Bounds of Clip as attributes and as inputs`() throws {
    let attributes = [
      Sample.attribute("min", float: -1), Sample.attribute("max", float: 1),
    ]
    let expected: [Float] = [-1, -0.5, 0.5, 1]
    #expect(try run("Clip", attributes: attributes, operatorSet: 9).floats == expected)
    #expect(
      try run("Clip", attributes: [attributes[0]], operatorSet: 6).floats == [-1, -0.5, 0.5, 2])
    let bounds = [("lo", Tensor(scalar: -1)), ("hi", Tensor(scalar: 1))]
    #expect(try run("Clip", operatorSet: 11, constants: bounds).floats == expected)
    #expect(
      try run("Clip", constants: [bounds[1]], inputs: ["x", "", "hi"]).floats
        == [-2, -0.5, 0.5, 1])
    #expect(throws: ImportError.self) { try run("Clip", attributes: attributes, operatorSet: 11) }
  }

  @Test func `Pads as attributes and as inputs`() throws {
    let pads = Sample.attribute("pads", integers: [0, 0, 0, 1, 0, 0, 0, 0])
    let value = Sample.attribute("value", float: 7)
    let expected: [Float] = [7, -2, -0.5, 0.5, 2]
    #expect(try run("Pad", attributes: [pads, value], operatorSet: 9).floats == expected)
    let inputs = [("p", integers(0, 0, 0, 1, 0, 0, 0, 0)), ("v", Tensor(scalar: 7))]
    #expect(try run("Pad", constants: inputs).floats == expected)
  }

  @Test func `Bounds of Slice as attributes and as inputs`() throws {
    let attributes = [
      Sample.attribute("axes", integers: [3]), Sample.attribute("starts", integers: [1]),
      Sample.attribute("ends", integers: [3]),
    ]
    #expect(try run("Slice", attributes: attributes, operatorSet: 9).floats == [-0.5, 0.5])
    let inputs = [("s", integers(1)), ("e", integers(3)), ("a", integers(3))]
    #expect(try run("Slice", constants: inputs).floats == [-0.5, 0.5])
  }

  @Test(arguments: ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceL1"])
  func `Axes of reductions as attribute and as input`(op: String) throws {
    let attributes = [
      Sample.attribute("axes", integers: [3]), Sample.attribute("keepdims", integer: 0),
    ]
    let old = try run(op, attributes: attributes, operatorSet: 11)
    let new = try run(
      op, attributes: [attributes[1]], operatorSet: 18, constants: [("a", integers(3))])
    #expect(old == new)
    #expect(old.shape == [1, 1, 1])
  }

  @Test func `Axes of Squeeze and Unsqueeze as attribute and as input`() throws {
    for (op, shape) in [("Squeeze", Shape([1, 1, 4])), ("Unsqueeze", [1, 1, 1, 1, 4])] {
      let axes = Sample.attribute("axes", integers: [2])
      #expect(try run(op, attributes: [axes], operatorSet: 11).shape == shape)
      #expect(try run(op, operatorSet: 13, constants: [("a", integers(2))]).shape == shape)
    }
  }

  @Test func `Softmax flattens before version 13`() throws {
    // Over axis 1, whose extent is 1, each element alone is 1; flattened, all four share 1.
    let axis = Sample.attribute("axis", integer: 1)
    #expect(try run("Softmax", attributes: [axis], operatorSet: 13).floats == [1, 1, 1, 1])
    let flattened = try run("Softmax", operatorSet: 11).floats
    #expect(abs(flattened.reduce(0, +) - 1) < 1e-6 && flattened[0] < 0.1)
  }

  @Test func `Split by attribute, by input and into equal parts`() throws {
    for (operatorSet, attributes, lengths) in [
      (Int64(11), [Sample.attribute("split", integers: [1, 3])], nil),
      (13, [], integers(1, 3)),
    ] as [(Int64, [Message], Tensor?)] {
      let model = try importModel(
        Sample.model(
          nodes: [
            Sample.node(
              "Split", ["x"] + (lengths == nil ? [] : ["l"]), ["a", "y"],
              attributes: attributes + [Sample.attribute("axis", integer: 3)])
          ],
          inputs: [Sample.input("x", [1, 1, 1, 4])],
          initializers: (lengths.map {
            [Sample.tensor("l", [2], type: 7, raw: littleEndian($0.integers))]
          }) ?? [], operatorSet: operatorSet))
      let result = try model.run(["x": Tensor([Float(1), 2, 3, 4], shape: [1, 1, 1, 4])])
      #expect(result?.floats == [2, 3, 4])
    }
  }

  @Test func `Sums and means of any number of values`() throws {
    let one = Tensor([Float(1), 1, 1, 1], shape: [4])
    #expect(try run("Sum").floats == [-2, -0.5, 0.5, 2])
    #expect(try run("Sum", constants: [("a", one), ("b", one)]).floats == [0, 1.5, 2.5, 4])
    #expect(try run("Mean", constants: [("a", one)]).floats == [-0.5, 0.25, 0.75, 1.5])
    #expect(try run("Max", constants: [("a", one), ("b", one)]).floats == [1, 1, 1, 2])
    #expect(try run("Min").floats == [-2, -0.5, 0.5, 2])
  }

  @Test func `Defaults of activations`() throws {
    #expect(try run("LeakyRelu").floats == [-0.02, -0.005, 0.5, 2])
    #expect(try run("ThresholdedRelu").floats == [0, 0, 0, 2])
    let hardSigmoid = try run("HardSigmoid").floats
    #expect(zip(hardSigmoid, [0.1, 0.4, 0.6, 0.9]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(try run("Elu").floats[2...] == [0.5, 2])
    let mish = try run("Mish").floats
    #expect(abs(mish[3] - 1.943_959) < 1e-5)
  }

  @Test func `Old broadcasting aligns at the end, or at an axis`() throws {
    let broadcast = Sample.attribute("broadcast", integer: 1)
    let one = ("a", Tensor([Float(1), 1, 1, 1], shape: [4]))
    let sum = try run("Add", attributes: [broadcast], operatorSet: 6, constants: [one])
    #expect(sum.floats == [-1, 0.5, 1.5, 3])
    let model = try importModel(
      Sample.model(
        nodes: [
          Sample.node(
            "Mul", ["x", "a"], ["y"],
            attributes: [broadcast, Sample.attribute("axis", integer: 1)])
        ],
        inputs: [Sample.input("x", [1, 2, 2, 1])],
        initializers: [Sample.floats("a", [2], [1, 10])], operatorSet: 6))
    let product = try model.run(["x": Tensor([Float(1), 2, 3, 4], shape: [1, 2, 2, 1])])
    #expect(product == Tensor([Float(1), 2, 30, 40], shape: [1, 2, 2, 1]))
    let error = #expect(throws: ImportError.self) {
      try run(
        "Add", attributes: [broadcast, Sample.attribute("axis", integer: 4)], operatorSet: 6,
        constants: [one])
    }
    #expect(error?.category == .malformed)
  }

  @Test func `Dropout passes its input on and cannot be switched to training`() throws {
    #expect(
      try run("Dropout", attributes: [Sample.attribute("ratio", float: 0.5)], operatorSet: 9)
        .floats == [-2, -0.5, 0.5, 2])
    let training = Sample.tensor("t", [], type: 9, raw: [1])
    let error = #expect(throws: ImportError.self) {
      try importModel(
        Sample.model(
          nodes: [Sample.node("Dropout", ["x", "", "t"], ["y"])], initializers: [training]))
    }
    #expect(error?.category == .unsupported)
  }

  @Test func `An output that is not made must not be read`() throws {
    let error = #expect(throws: ImportError.self) {
      try importModel(
        Sample.model(nodes: [
          Sample.node("Sign", ["x"], ["a", "second"]), Sample.node("Neg", ["second"], ["y"]),
        ]))
    }
    #expect(error?.category == .unsupported)
    #expect(error?.description.contains("'second'") == true)
  }

  @Test func `The mask of a dropout keeps everything`() throws {
    let model = { (operatorSet: Int64) in
      Sample.model(
        nodes: [Sample.node("Dropout", ["x"], ["a", "y"])],
        inputs: [Sample.input("x", [1, 2])], operatorSet: operatorSet)
    }
    let x = ["x": Tensor([Float(0), 3], shape: [1, 2])]
    #expect(try importModel(model(12)).run(x) == Tensor([true, true], shape: [1, 2]))
    #expect(try importModel(model(7)).run(x) == Tensor([Float(1), 1], shape: [1, 2]))
    let unread = Sample.model(nodes: [Sample.node("Dropout", ["x"], ["y", "mask"])])
    #expect(try importModel(unread).graph.nodes.count == 1)
  }

  // MARK: Constants

  @Test func `Constants in every spelling`() throws {
    let constant = { (attribute: Message) throws -> Tensor? in
      let model = try importModel(
        Sample.model(
          nodes: [Sample.node("Constant", [], ["y"], attributes: [attribute])], inputs: []))
      return model.graph[model.graph.outputs[0]].constant
    }
    let tensor = Sample.floats("", [2], [1, 2])
    #expect(
      try constant(Sample.attribute("value", tensor: tensor)) == Tensor([Float(1), 2], shape: [2]))
    #expect(try constant(Sample.attribute("value_float", float: 3)) == Tensor(scalar: 3))
    #expect(
      try constant(Sample.attribute("value_int", integer: 3)) == Tensor([Int64(3)], shape: []))
    #expect(
      try constant(Sample.attribute("value_ints", integers: [3, 4]))
        == Tensor([Int64(3), 4], shape: [2]))
    let floats = Message().string(1, "value_floats").float(7, 1).float(7, 2).integer(20, 6)
    #expect(try constant(floats) == Tensor([Float(1), 2], shape: [2]))
    #expect(throws: ImportError.self) {
      try constant(Sample.attribute("value_string", string: "text"))
    }
  }

  @Test func `An alias of a constant is that constant`() throws {
    let model = try importModel(
      Sample.model(
        nodes: [
          Sample.node("Identity", ["w"], ["v"]), Sample.node("Conv", ["x", "v"], ["y"]),
        ], initializers: [Sample.floats("w", [1, 2, 1, 1], [1, -1])]))
    #expect(model.graph.nodes.count == 1)
    let weights = try #require(model.graph.nodes[0].input(1))
    #expect(model.graph[weights].constant?.floats == [1, -1])
  }

  @Test func `CastLike takes the type of its second input`() throws {
    let model = try importModel(
      Sample.model(
        nodes: [
          Sample.node("Shape", ["x"], ["s"]), Sample.node("CastLike", ["x", "s"], ["y"]),
        ]))
    #expect(model.graph[model.graph.outputs[0]].type?.elementType == .int64)
  }

  @Test func `Nodes in any order`() throws {
    let model = try importModel(
      Sample.model(nodes: [
        Sample.node("Neg", ["b"], ["y"]), Sample.node("Abs", ["a"], ["b"]),
        Sample.node("Sign", ["x"], ["a"]),
      ]))
    #expect(model.graph.nodes.map(\.name) == ["a", "b", "y"])
  }

  // MARK: Windows

  @Test(arguments: [
    ("SAME_UPPER", 2, [0, 0], [1, 1]), ("SAME_LOWER", 2, [1, 1], [0, 0]),
    ("SAME_UPPER", 1, [1, 1], [1, 1]), ("VALID", 2, [0, 0], [0, 0]),
  ])
  func `Automatic padding becomes explicit`(
    spelling: String, stride: Int64, begin: [Int], end: [Int]
  ) throws {
    let model = try importModel(
      Sample.model(
        nodes: [
          // A node before it, so that the extents have to be inferred.
          Sample.node("Abs", ["x"], ["a"]),
          Sample.node(
            "Conv", ["a", "w"], ["y"],
            attributes: [
              Sample.attribute("auto_pad", string: spelling),
              Sample.attribute("strides", integers: [stride, stride]),
            ]),
        ],
        initializers: [Sample.floats("w", [1, 2, 3, 3], [Float](repeating: 1, count: 18))]))
    guard case .convolution(let convolution) = model.graph.nodes[1].op else {
      Issue.record("not a convolution")
      return
    }
    #expect(convolution.geometry.window.padsBegin == begin)
    #expect(convolution.geometry.window.padsEnd == end)
    #expect(convolution.geometry.window.kernel == [3, 3])
  }

  @Test func `The kernel of computed weights is inferred`() throws {
    let model = try importModel(
      Sample.model(
        nodes: [
          Sample.node("Sign", ["w"], ["s"]), Sample.node("Conv", ["x", "s"], ["y"]),
        ],
        initializers: [Sample.floats("w", [1, 2, 3, 2], [Float](repeating: 1, count: 12))]))
    #expect(
      model.graph[model.graph.outputs[0]].type == ValueType(.float32, [1, 1, 2, 3] as Shape))
  }
}
