/// The umbrella of the toolkit: importers, the pass API, the exporter, the runtime, verification.
@_exported import BNNExport
@_exported import BNNFormat
@_exported import BNNGraph
@_exported import BNNImport
@_exported import BNNPasses
@_exported import BNNRuntime
@_exported import BNNTensor
@_exported import BNNVerification
