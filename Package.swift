// swift-tools-version: 6.2
import PackageDescription

// Set by continuous integration; a dependent package is never broken by a new compiler's warnings.
let warningsAreErrors = Context.environment["BNN_WARNINGS_AS_ERRORS"] != nil
let swiftSettings: [SwiftSetting] = warningsAreErrors ? [.treatAllWarnings(as: .error)] : []
let cSettings: [CSetting] = warningsAreErrors ? [.treatAllWarnings(as: .error)] : []

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}
func command(_ name: String) -> Target {
  .executableTarget(name: name, dependencies: ["BNNCommandLine"], swiftSettings: swiftSettings)
}
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["BNNTestSupport"], swiftSettings: swiftSettings)
}

let package = Package(
  name: "bnn-toolkit",
  products: [
    .library(name: "BNNKit", targets: ["BNNKit"]),
    .library(name: "BNNRuntime", targets: ["BNNFormat", "BNNRuntime"]),
    .executable(name: "bnnconvert", targets: ["bnnconvert"]),
    .executable(name: "bnnverify", targets: ["bnnverify"]),
    .executable(name: "bnnrun", targets: ["bnnrun"]),
    .executable(name: "bnninspect", targets: ["bnninspect"]),
    .executable(name: "bnnbench", targets: ["bnnbench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // C
    .target(name: "CBNNKernels", cSettings: cSettings),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c",
      providers: [.apt(["libprotobuf-c-dev"]), .brew(["protobuf-c"])]),
    .systemLibrary(
      name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"]), .brew(["libzip"])]),
    .target(
      name: "COnnx", dependencies: ["CProtobufC"], exclude: ["generate.sh", "onnx.proto"]),

    // Graph side: from a source to a finished graph
    library("BNNTensor"),
    library("BNNGraph", ["BNNTensor"]),
    library("BNNPasses", ["BNNGraph"]),
    .target(
      name: "BNNImport", dependencies: ["BNNGraph", "COnnx", "CZip"],
      resources: [.embedInCode("Architecture/Library")], swiftSettings: swiftSettings),

    // File and run-time side: all that an application ships
    library("BNNFormat", ["BNNTensor"]),
    library("BNNRuntime", ["BNNFormat", "CBNNKernels"]),

    // Where the two sides meet
    library("BNNExport", ["BNNGraph", "BNNFormat"]),
    library(
      "BNNVerification",
      ["BNNGraph", "BNNImport", "BNNPasses", "BNNExport", "BNNFormat", "BNNRuntime"]),
    library(
      "BNNKit",
      [
        "BNNTensor", "BNNGraph", "BNNPasses", "BNNImport", "BNNFormat", "BNNExport", "BNNRuntime",
        "BNNVerification",
      ]),

    // Commands
    library(
      "BNNCommandLine",
      ["BNNKit", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    command("bnnconvert"),
    command("bnnverify"),
    command("bnnrun"),
    command("bnninspect"),
    command("bnnbench"),

    // Tests
    .target(
      name: "BNNTestSupport", dependencies: ["BNNTensor"], path: "Tests/BNNTestSupport",
      swiftSettings: swiftSettings),
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter", cSettings: cSettings),
    tests("BNNTensorTests", ["BNNTensor"]),
    tests("BNNGraphTests", ["BNNGraph", "BNNPasses", "BNNExport", "BNNRuntime"]),
    tests("BNNPassesTests", ["BNNPasses"]),
    tests("BNNImportTests", ["BNNImport"]),
    tests("BNNFormatTests", ["BNNFormat"]),
    // Sees the layout of structs that hold C structs: rebuilt when these change.
    tests("BNNRuntimeTests", ["BNNRuntime", "CBNNKernels", "CAllocationCounter"]),
    tests("BNNExportTests", ["BNNExport", "BNNRuntime"]),
    tests("BNNVerificationTests", ["BNNVerification", "BNNKit"]),
    tests("BNNKitTests", ["BNNKit", "BNNImport", "CAllocationCounter"]),
    tests(
      "CommandLineTests",
      [
        "BNNKit", "BNNCommandLine", "bnnconvert", "bnnverify", "bnnrun", "bnninspect", "bnnbench",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
