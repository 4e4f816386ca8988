import BNNPasses
import Testing

/// What choices of storage mean, and their text, which files and commands share.
struct StorageOptionsTests {
  @Test(
    arguments: [
      "stem=float16", "^/layer[1-3]/.*conv=int8,vectors:float16", "a=b=kernels:32",
      "head=int8-compute,percentile:99.9", "x=kernels:all", ".*=vectors:float32",
    ])
  func textIsReadAndWritten(_ text: String) throws {
    #expect(
      try LayerStorage(argument: text).settings == text.split(separator: "=").last.map(String.init))
  }

  @Test func whatFollowsTheLastEqualsSignAreTheSettings() throws {
    let layer = try LayerStorage(argument: "a=b=float16,kernels:8")
    #expect(layer.selection == .matching("a=b"))
    #expect(layer.weights == .float16 && layer.kernels == .most(8) && layer.vectors == nil)
  }

  @Test(
    arguments: [
      "stem", "=float16", "stem=", "stem=float8", "stem=vectors:int8", "stem=kernels:0",
      "stem=kernels:513", "stem=float16,float16", "stem=float16,int8", "(=float16",
      "stem=percentile:49", "stem=percentile:nan", "stem=,float16",
    ])
  func anythingElseIsRefused(_ text: String) {
    #expect(throws: StorageError.self) { try LayerStorage(argument: text) }
  }

  @Test func theFirstEntryThatSaysSomethingDecides() throws {
    let options = StorageOptions(
      weights: .int8,
      layers: [
        try LayerStorage(argument: "conv=vectors:float16"),
        try LayerStorage(argument: "conv1=float32"),
        try LayerStorage(argument: "conv=float16"),
      ])
    #expect(options.weights(of: "conv1") == .float32)
    #expect(options.weights(of: "my.conv2") == .float16)
    #expect(options.weights(of: "fc") == .int8)
    #expect(options.vectors(of: "conv1") == .float16)
    #expect(options.vectors(of: "fc") == .float32)
  }

  @Test func onlyWhatChangesNumbersIsLossy() throws {
    #expect(!StorageOptions().isLossy)
    #expect(!StorageOptions(layers: [try LayerStorage(argument: "a=float32,kernels:all")]).isLossy)
    for text in ["a=float16", "a=vectors:float16", "a=kernels:9", "a=int8-compute"] {
      #expect(StorageOptions(layers: [try LayerStorage(argument: text)]).isLossy)
    }
    #expect(!StorageOptions(weights: .int8Compute).roundsNumbers)
    #expect(StorageOptions(weights: .int8Compute).computesInIntegers)
  }

  @Test func bitsPerWeightAreThoseOfAnIndex() {
    #expect(KernelLimit(bitsPerWeight: 0.56) == .most(32))
    #expect(KernelLimit(bitsPerWeight: 1) == .most(512))
    #expect(KernelLimit(bitsPerWeight: 0) == .most(1))
    #expect(KernelLimit(bitsPerWeight: 0.34) == .most(8))
    #expect(KernelLimit(bitsPerWeight: 1.1) == nil)
    #expect(KernelLimit(bitsPerWeight: .nan) == nil)
  }
}
