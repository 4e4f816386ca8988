#include "bnn_windowpool.h"

static const bnn_windowpool *const kernels[] = {
#define BNN_WINDOWPOOL_KERNEL(object) BNN_LIST_KERNEL(bnn_windowpool, object)
#include "bnn_windowpool.inc"
#undef BNN_WINDOWPOOL_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_windowpool, kernels)
