/* The messages of ONNX files, as protobuf-c structs and descriptors. */
#ifndef BNN_CONNX_H
#define BNN_CONNX_H

#include "onnx.pb-c.h"

/* The descriptors of the messages that a file may consist of. Swift cannot take the address of a
   C constant; unpacked messages keep it. */
static inline const ProtobufCMessageDescriptor *bnn_onnx_model_descriptor(void) {
  return &bnn_onnx__model_proto__descriptor;
}
static inline const ProtobufCMessageDescriptor *bnn_onnx_tensor_descriptor(void) {
  return &bnn_onnx__tensor_proto__descriptor;
}

#endif
