#include "bnn_pointwise.h"

static const bnn_pointwise *const kernels[] = {
#define BNN_POINTWISE_KERNEL(object) BNN_LIST_KERNEL(bnn_pointwise, object)
#include "bnn_pointwise.inc"
#undef BNN_POINTWISE_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_pointwise, kernels)
