#include "bnn_window.h"

static const bnn_gather *const kernels[] = {
#define BNN_GATHER_KERNEL(object) BNN_LIST_KERNEL(bnn_gather, object)
#include "bnn_gather.inc"
#undef BNN_GATHER_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_gather, kernels)
