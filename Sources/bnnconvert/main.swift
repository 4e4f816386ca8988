import BNNCommandLine

runTool(ConvertCommand.self)
