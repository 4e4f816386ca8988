int bnn_kernels_placeholder(void);
