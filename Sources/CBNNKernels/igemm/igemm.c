#include "bnn_igemm.h"

static const bnn_igemm *const kernels[] = {
#define BNN_IGEMM_KERNEL(object) BNN_LIST_KERNEL(bnn_igemm, object)
#include "bnn_igemm.inc"
#undef BNN_IGEMM_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_igemm, kernels)
