import Testing
@testable import BNNGraph
