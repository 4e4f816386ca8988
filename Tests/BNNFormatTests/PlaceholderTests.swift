import Testing
@testable import BNNFormat
