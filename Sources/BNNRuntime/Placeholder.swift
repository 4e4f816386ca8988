import BNNTensor
