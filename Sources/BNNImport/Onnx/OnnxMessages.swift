import BNNTensor
import COnnx
import CProtobufC

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

private typealias Descriptor = UnsafePointer<ProtobufCMessageDescriptor>

/// Unpacks ONNX messages. The only code that sees protobuf-c and the generated structs.
enum OnnxMessages {
  /// Reads a model's file. Stored tensors are read from it one by one as they are decoded, so
  /// memory peaks at about the size of the file.
  static func readModel(
    _ path: String, decoder: inout TensorDecoder
  ) throws(ImportFault) -> (model: OnnxModel, byteCount: Int) {
    let file = try InputFile(path)
    let unpacked = try unpack(
      file, as: bnn_onnx_model_descriptor(), BnnOnnx__ModelProto.self)
    defer { protobuf_c_message_free_unpacked(&unpacked.pointee.base, nil) }
    var reader = MessageReader(file: file, decoder: decoder)
    let model = try reader.model(unpacked.pointee)
    decoder = reader.decoder
    return (model, file.byteCount)
  }

  /// Reads a file that holds one tensor.
  static func readTensor(_ path: String) throws(ImportFault) -> Tensor {
    let file = try InputFile(path)
    let unpacked = try unpack(
      file, as: bnn_onnx_tensor_descriptor(), BnnOnnx__TensorProto.self)
    defer { protobuf_c_message_free_unpacked(&unpacked.pointee.base, nil) }
    var reader = MessageReader(file: file, decoder: TensorDecoder(folder: folder(of: path)))
    return try reader.tensor(unpacked)
  }

  private static func unpack<Message>(
    _ file: InputFile, as descriptor: Descriptor?, _ type: Message.Type
  ) throws(ImportFault) -> UnsafeMutablePointer<Message> {
    guard file.byteCount > 0, let descriptor else { throw ImportFault(.empty) }
    let unpacked = try scan.skeleton(of: file, as: descriptor).withUnsafeBufferPointer {
      protobuf_c_message_unpack(descriptor, nil, $0.count, $0.baseAddress)
    }
    guard let unpacked else { throw ImportFault(.invalidWireFormat(offset: 0)) }
    return UnsafeMutableRawPointer(unpacked).assumingMemoryBound(to: type)
  }

  private static var scan: WireScan<Descriptor> {
    WireScan(
      structSize: { $0.pointee.sizeof_message },
      field: { message, number in
        guard let field = protobuf_c_message_descriptor_get_field(message, number) else {
          return .other
        }
        if field.pointee.type == PROTOBUF_C_TYPE_MESSAGE, let inner = field.pointee.descriptor {
          return .message(inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self))
        }
        // Strings of attributes are bytes, too.
        let holdsElements =
          field.pointee.type == PROTOBUF_C_TYPE_BYTES && message == bnn_onnx_tensor_descriptor()
        return holdsElements ? .elements : .other
      })
  }
}

/// Turns unpacked messages into Swift values.
private struct MessageReader {
  /// That the messages come from, with the elements of tensors.
  let file: InputFile
  var decoder: TensorDecoder

  mutating func model(_ message: BnnOnnx__ModelProto) throws(ImportFault) -> OnnxModel {
    guard let graph = message.graph else { throw ImportFault(.notAModel) }
    var metadata: [(key: String, value: String)] = []
    for (key, value) in [
      ("producer", message.producer_name), ("producer version", message.producer_version),
      ("domain", message.domain),
    ] where !text(value).isEmpty {
      metadata.append((key, text(value)))
    }
    return OnnxModel(
      irVersion: message.ir_version,
      metadata: metadata + pairs(message.metadata_props, message.n_metadata_props),
      operatorSets: operatorSets(message.opset_import, message.n_opset_import),
      graph: try self.graph(graph.pointee),
      functions: try functions(message.functions, message.n_functions))
  }

  private func operatorSets(
    _ start: UnsafeMutablePointer<UnsafeMutablePointer<BnnOnnx__OperatorSetIdProto>?>?,
    _ count: Int
  ) -> [(domain: String, version: Int64)] {
    list(start, count).map { (text($0.pointee.domain), $0.pointee.version) }
  }

  private mutating func functions(
    _ start: UnsafeMutablePointer<UnsafeMutablePointer<BnnOnnx__FunctionProto>?>?, _ count: Int
  ) throws(ImportFault) -> [OnnxFunction] {
    var functions: [OnnxFunction] = []
    for message in list(start, count).map(\.pointee) {
      let name = text(message.name)
      functions.append(
        OnnxFunction(
          name: name, domain: standardized(text(message.domain)),
          overload: text(message.overload), inputs: texts(message.input, message.n_input),
          outputs: texts(message.output, message.n_output),
          defaults: try attributes(
            message.attribute_proto, message.n_attribute_proto, of: name, "function"),
          nodes: try nodes(message.node, message.n_node),
          operatorSets: operatorSets(message.opset_import, message.n_opset_import)))
    }
    return functions
  }

  private mutating func graph(_ message: BnnOnnx__GraphProto) throws(ImportFault) -> OnnxGraph {
    var initializers: [(name: String, tensor: Tensor)] = []
    for tensor in list(message.initializer, message.n_initializer) {
      initializers.append((text(tensor.pointee.name), try self.tensor(tensor)))
    }
    for sparse in list(message.sparse_initializer, message.n_sparse_initializer) {
      let name = text(sparse.pointee.values?.pointee.name)
      initializers.append((name, try self.sparseTensor(sparse.pointee, name: name)))
    }
    return OnnxGraph(
      name: text(message.name), nodes: try nodes(message.node, message.n_node),
      initializers: initializers,
      inputs: list(message.input, message.n_input).map { valueInfo($0.pointee) },
      outputs: list(message.output, message.n_output).map { valueInfo($0.pointee) })
  }

  private mutating func nodes(
    _ start: UnsafeMutablePointer<UnsafeMutablePointer<BnnOnnx__NodeProto>?>?, _ count: Int
  ) throws(ImportFault) -> [OnnxNode] {
    var nodes: [OnnxNode] = []
    for (index, node) in list(start, count).enumerated() {
      nodes.append(try self.node(node.pointee, index: index))
    }
    return nodes
  }

  private mutating func node(
    _ message: BnnOnnx__NodeProto, index: Int
  ) throws(ImportFault) -> OnnxNode {
    let outputs = texts(message.output, message.n_output)
    var node = OnnxNode(
      name: text(message.name), opType: text(message.op_type),
      domain: standardized(text(message.domain)), overload: text(message.overload),
      inputs: texts(message.input, message.n_input), outputs: outputs, attributes: [])
    if node.name.isEmpty { node.name = outputs.first { !$0.isEmpty } ?? "#\(index)" }
    node.attributes = try attributes(
      message.attribute, message.n_attribute, of: node.name, node.opType)
    return node
  }

  private mutating func attributes(
    _ start: UnsafeMutablePointer<UnsafeMutablePointer<BnnOnnx__AttributeProto>?>?,
    _ count: Int, of node: String, _ op: String
  ) throws(ImportFault) -> [OnnxAttribute] {
    var attributes: [OnnxAttribute] = []
    for attribute in list(start, count) {
      let name = text(attribute.pointee.name)
      do {
        attributes.append(OnnxAttribute(name: name, value: try value(of: attribute.pointee)))
      } catch {
        // A node of an inner graph says more.
        if case .node = error.place { throw error }
        throw ImportFault(error.reason, at: .node(name: node, op: op, attribute: name))
      }
    }
    return attributes
  }

  private mutating func value(
    of message: BnnOnnx__AttributeProto
  ) throws(ImportFault) -> OnnxAttribute.Value {
    let reference = text(message.ref_attr_name)
    guard reference.isEmpty else { return .reference(reference) }
    switch kind(of: message).rawValue {
    case 1: return .float(message.f)
    case 2: return .integer(message.i)
    case 3: return .string(text(message.s))
    case 4: return .tensor(try tensor(message.t.orFault(.missingAttribute)))
    case 6:
      return .floats(Array(UnsafeBufferPointer(start: message.floats, count: message.n_floats)))
    case 7: return .integers(Array(UnsafeBufferPointer(start: message.ints, count: message.n_ints)))
    case 8:
      let strings = UnsafeBufferPointer(start: message.strings, count: message.n_strings)
      return .strings(strings.map { text($0) })
    case 11:
      let sparse = try message.sparse_tensor.orFault(.missingAttribute)
      return .tensor(try sparseTensor(sparse.pointee, name: text(message.name)))
    case 5: return .graph(try graph(message.g.orFault(.missingAttribute).pointee))
    case 10: return .other("list of graphs")
    default: return .other("attribute of kind \(kind(of: message).rawValue)")
    }
  }

  /// The declared kind, or for files older than that field, the field that is filled.
  private func kind(
    of message: BnnOnnx__AttributeProto
  ) -> BnnOnnx__AttributeProto__AttributeType {
    if message.has_type != 0, message.type.rawValue != 0 { return message.type }
    let number: UInt32
    if message.has_f != 0 {
      number = 1
    } else if message.has_i != 0 {
      number = 2
    } else if message.has_s != 0 {
      number = 3
    } else if message.t != nil {
      number = 4
    } else if message.g != nil {
      number = 5
    } else if message.n_floats > 0 {
      number = 6
    } else if message.n_strings > 0 {
      number = 8
    } else {
      number = 7
    }
    return BnnOnnx__AttributeProto__AttributeType(rawValue: number)
  }

  private func valueInfo(_ message: BnnOnnx__ValueInfoProto) -> OnnxValueInfo {
    let name = text(message.name)
    guard let type = message.type?.pointee else { return OnnxValueInfo(name: name, type: .missing) }
    switch type.value_case {
    case BNN_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
      guard let tensor = type.tensor_type?.pointee else { break }
      let dimensions = (tensor.shape?.pointee).map { shape in
        list(shape.dim, shape.n_dim).map { extent($0.pointee) }
      }
      return OnnxValueInfo(
        name: name, type: .tensor(elementType: tensor.elem_type, dimensions: dimensions))
    case BNN_ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
      return OnnxValueInfo(name: name, type: .other("sequence"))
    case BNN_ONNX__TYPE_PROTO__VALUE_MAP_TYPE: return OnnxValueInfo(name: name, type: .other("map"))
    case BNN_ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
      return OnnxValueInfo(name: name, type: .other("optional"))
    case BNN_ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
      return OnnxValueInfo(name: name, type: .other("sparse tensor"))
    case BNN_ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE:
      return OnnxValueInfo(name: name, type: .other("opaque"))
    default: break
    }
    return OnnxValueInfo(name: name, type: .missing)
  }

  private func extent(_ message: BnnOnnx__TensorShapeProto__Dimension) -> OnnxValueInfo.Extent {
    switch message.value_case {
    case BNN_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE: .value(message.dim_value)
    case BNN_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
      .parameter(text(message.dim_param))
    default: .unknown
    }
  }
}

// MARK: Tensors

extension MessageReader {
  /// Decodes a tensor and frees its stored elements.
  mutating func tensor(
    _ message: UnsafeMutablePointer<BnnOnnx__TensorProto>
  ) throws(ImportFault) -> Tensor {
    let name = text(message.pointee.name)
    guard message.pointee.segment == nil else {
      throw ImportFault(.unsupported("tensors in segments"), at: .tensor(name: name))
    }
    let tensor = try decoder.decode(
      TensorSource(
        name: name, dimensions: dimensions(message.pointee.dims, message.pointee.n_dims),
        elementType: message.pointee.data_type, content: try content(of: message.pointee)))
    freeElements(&message.pointee)
    return tensor
  }

  private func content(
    of message: BnnOnnx__TensorProto
  ) throws(ImportFault) -> TensorSource.Content {
    if message.data_location == BNN_ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL {
      return .external(pairs(message.external_data, message.n_external_data))
    }
    if message.has_raw_data != 0 {
      let bytes = UnsafeRawBufferPointer(
        start: message.raw_data.data, count: message.raw_data.len)
      let place = try WireScan<Descriptor>.place(bytes).orFault(.invalidWireFormat(offset: 0))
      return .stored(
        StoredElements(file: file, offset: place.lowerBound, byteCount: place.count))
    }
    if message.n_float_data > 0 {
      return .floats(UnsafeBufferPointer(start: message.float_data, count: message.n_float_data))
    }
    if message.n_int32_data > 0 {
      return .int32s(UnsafeBufferPointer(start: message.int32_data, count: message.n_int32_data))
    }
    if message.n_int64_data > 0 {
      return .int64s(UnsafeBufferPointer(start: message.int64_data, count: message.n_int64_data))
    }
    if message.n_double_data > 0 {
      return .doubles(UnsafeBufferPointer(start: message.double_data, count: message.n_double_data))
    }
    if message.n_uint64_data > 0 {
      return .uint64s(UnsafeBufferPointer(start: message.uint64_data, count: message.n_uint64_data))
    }
    return .none
  }

  private func freeElements(_ message: inout BnnOnnx__TensorProto) {
    free(message.raw_data.data)
    message.raw_data = ProtobufCBinaryData(len: 0, data: nil)
    free(message.float_data)
    (message.float_data, message.n_float_data) = (nil, 0)
    free(message.int32_data)
    (message.int32_data, message.n_int32_data) = (nil, 0)
    free(message.int64_data)
    (message.int64_data, message.n_int64_data) = (nil, 0)
  }

  private mutating func sparseTensor(
    _ message: BnnOnnx__SparseTensorProto, name: String
  ) throws(ImportFault) -> Tensor {
    let place = ImportError.Place.tensor(name: name)
    guard let values = message.values, let indices = message.indices else {
      throw ImportFault(.wrongElementCount(found: 0, expected: 1), at: place)
    }
    let sparse = SparseTensor(
      values: try tensor(values), indices: try tensor(indices),
      dimensions: dimensions(message.dims, message.n_dims))
    do {
      return try sparse.dense()
    } catch {
      throw ImportFault(error.reason, at: place)
    }
  }

  private func dimensions(_ start: UnsafeMutablePointer<Int64>?, _ count: Int) -> [Int64] {
    Array(UnsafeBufferPointer(start: start, count: count))
  }
}

// MARK: Parts of messages

/// ONNX's own domain has two spellings.
private func standardized(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }

private func text(_ string: UnsafePointer<CChar>?) -> String {
  string.map { String(cString: $0) } ?? ""
}

private func text(_ bytes: ProtobufCBinaryData) -> String {
  String(decoding: UnsafeBufferPointer(start: bytes.data, count: bytes.len), as: UTF8.self)
}

private func texts(
  _ start: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int
) -> [String] {
  UnsafeBufferPointer(start: start, count: count).map { text($0) }
}

private func list<Message>(
  _ start: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int
) -> [UnsafeMutablePointer<Message>] {
  UnsafeBufferPointer(start: start, count: count).compactMap { $0 }
}

private func pairs(
  _ start: UnsafeMutablePointer<UnsafeMutablePointer<BnnOnnx__StringStringEntryProto>?>?,
  _ count: Int
) -> [(key: String, value: String)] {
  list(start, count).map { (text($0.pointee.key), text($0.pointee.value)) }
}
