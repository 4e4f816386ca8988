#include "COnnx.h"
int conn_placeholder(void) { return 0; }
