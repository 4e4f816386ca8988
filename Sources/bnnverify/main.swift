import BNNCommandLine

runTool(VerifyCommand.self)
