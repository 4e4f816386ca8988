#include "bnn_epilogue.h"

static const bnn_epilogue *const kernels[] = {
#define BNN_EPILOGUE_KERNEL(object) BNN_LIST_KERNEL(bnn_epilogue, object)
#include "bnn_epilogue.inc"
#undef BNN_EPILOGUE_KERNEL
};

BNN_DEFINE_DISPATCH(bnn_epilogue, kernels)
