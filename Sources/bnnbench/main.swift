import BNNCommandLine

runTool(BenchCommand.self)
