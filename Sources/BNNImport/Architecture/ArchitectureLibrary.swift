extension Architecture {
  /// The descriptions that the toolkit ships, by name.
  private static let library: [String: [UInt8]] = [
    "bireal-18": PackageResources.bireal_18_json,
    "bireal-34": PackageResources.bireal_34_json,
    "digits-bireal": PackageResources.digits_bireal_json,
    "digits-cnn": PackageResources.digits_cnn_json,
    "digits-frac": PackageResources.digits_frac_json,
    "digits-ftbnn": PackageResources.digits_ftbnn_json,
    "digits-mlp": PackageResources.digits_mlp_json,
    "digits-react": PackageResources.digits_react_json,
    "digits-vgg": PackageResources.digits_vgg_json,
    "elastic-link": PackageResources.elastic_link_json,
    "fracbnn-cifar10": PackageResources.fracbnn_cifar10_json,
    "fracbnn-imagenet": PackageResources.fracbnn_imagenet_json,
    "ftbnn": PackageResources.ftbnn_json,
    "quicknet": PackageResources.quicknet_json,
    "rbonn-18": PackageResources.rbonn_18_json,
    "reactnet-18": PackageResources.reactnet_18_json,
    "reactnet-a": PackageResources.reactnet_a_json,
    "s2bnn": PackageResources.s2bnn_json,
    "sbnn-reactnet-a": PackageResources.sbnn_reactnet_a_json,
    "sbnn-resnet18": PackageResources.sbnn_resnet18_json,
    "snn-18": PackageResources.snn_18_json,
    "xnor-resnet-18": PackageResources.xnor_resnet_18_json,
  ]

  /// The names of the architectures that the toolkit ships, in order.
  public static var names: [String] { library.keys.sorted() }

  /// An architecture that the toolkit ships; see ``names``.
  public init(named name: String) throws(ImportError) {
    guard let bytes = Self.library[name] else {
      throw ImportError(file: name, reason: .unknownArchitecture(known: Self.names))
    }
    try self.init(bytes: bytes, name: name)
  }
}
