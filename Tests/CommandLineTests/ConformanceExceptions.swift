/// Models of ONNX's test data that consist of supported operators, and yet are refused or give
/// other results than recorded: why.
let conformanceExceptions: [String: String] = [
  "node/test_batchnorm_epsilon_training_mode":
    "BatchNormalization in training mode",
  "node/test_batchnorm_example_training_mode":
    "BatchNormalization in training mode",
  "node/test_cast_FLOAT_to_BFLOAT16":
    "recorded with the lower half cut off; conversion rounds to nearest",
  "node/test_castlike_BFLOAT16_to_FLOAT":
    "the recorded 'like' has the shape [1], the model declares [3,4]",
  "node/test_castlike_BFLOAT16_to_FLOAT_expanded":
    "the recorded 'like' has the shape [1], the model declares [3,4]",
  "node/test_castlike_FLOAT_to_BFLOAT16":
    "the recorded 'like' has the shape [1], the model declares [3,4]",
  "node/test_castlike_FLOAT_to_BFLOAT16_expanded":
    "the recorded 'like' has the shape [1], the model declares [3,4]",
  "node/test_training_dropout":
    "Dropout in training mode",
  "node/test_training_dropout_default":
    "Dropout in training mode",
  "node/test_training_dropout_default_mask":
    "Dropout in training mode",
  "node/test_training_dropout_mask":
    "Dropout in training mode",
]
