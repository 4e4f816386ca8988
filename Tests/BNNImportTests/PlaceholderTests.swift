import Testing
@testable import BNNImport
