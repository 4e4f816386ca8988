import BNNCommandLine

runTool(InspectCommand.self)
