import BNNCommandLine

runTool(RunCommand.self)
