#include "bnn_threshold.h"

static const bnn_threshold *const kernels[] = {
#define BNN_THRESHOLD_KERNEL(object) BNN_LIST_KERNEL(bnn_threshold, object)
#include "bnn_threshold.inc"
#undef BNN_THRESHOLD_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_threshold, kernels)
