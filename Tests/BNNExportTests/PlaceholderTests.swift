import Testing
@testable import BNNExport
