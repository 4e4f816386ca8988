#include "bnn_bgemm.h"

static const bnn_bgemm *const kernels[] = {
#define BNN_BGEMM_KERNEL(object) BNN_LIST_KERNEL(bnn_bgemm, object)
#include "bnn_bgemm.inc"
#undef BNN_BGEMM_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_bgemm, kernels)
