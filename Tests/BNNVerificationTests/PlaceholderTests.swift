import Testing
@testable import BNNVerification
