// Keeps the compiler from moving loads across what is computed before them: where tiles fill the
// registers with sums, loading the values of all rows first leaves too few, and sums are moved around
// and spilled. It costs no instruction.
#ifndef BNN_IN_ORDER_H
#define BNN_IN_ORDER_H

// After a sum, which is a vector in a register of x86-64.
#define BNN_LOADS_COME_AFTER(sum) __asm__ volatile("" : "+v"(sum) : : "memory")

#endif
