import BNNKit
