import Testing
@testable import BNNRuntime
