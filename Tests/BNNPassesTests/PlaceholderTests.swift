import Testing
@testable import BNNPasses
