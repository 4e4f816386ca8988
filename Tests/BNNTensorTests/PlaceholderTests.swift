import Testing
@testable import BNNTensor
