// Addresses without an index: an instruction that computes with what it loads is one operation of the
// front end where its address is a register and a constant, and on Intel's CPUs two where a second
// register is added. Compilers share one index among several pointers instead of advancing each.
#ifndef BNN_UNINDEXED_H
#define BNN_UNINDEXED_H

// Keeps what a pointer is now in a register of its own. It costs no instruction but the addition.
#define BNN_UNINDEXED(pointer) __asm__("" : "+r"(pointer))

#endif
