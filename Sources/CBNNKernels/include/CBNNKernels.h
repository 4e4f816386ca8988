// The kernels of the runtime. One family per header: a struct of functions, one object of it per
// instruction set, and one list (`bnn_<family>.inc`, best first) that declares them, lets
// `bnn_<family>_best` choose and lets tests and benchmarks go through all of them.
//
// Objects are called bnn_<family>_<tile>__<isa>. Nothing here is a stable interface.
#ifndef CBNNKERNELS_H
#define CBNNKERNELS_H

#include "bnn_bgemm.h"
#include "bnn_bits.h"
#include "bnn_bslice.h"
#include "bnn_epilogue.h"
#include "bnn_fgemm.h"
#include "bnn_igemm.h"
#include "bnn_isa.h"
#include "bnn_layout.h"
#include "bnn_pointwise.h"
#include "bnn_pool.h"
#include "bnn_window.h"
#include "bnn_windowpool.h"
#include "bnn_winograd.h"
#include "bnn_winograd1d.h"

#endif
