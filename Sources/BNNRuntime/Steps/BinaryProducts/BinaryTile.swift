/// How many positions and outputs a product computes at a time.
struct BinaryTile {
  var rows: Int
  var outputs: Int
  /// Whether threads share the outputs instead of the positions: each reads a part of the weights,
  /// which there are more of.
  var splitsOutputs = false

  /// Accumulators of all outputs take up to 16 KiB, but epilogues take eight rows together. Rows are
  /// no more than 32, or have no more than 128 words: what a tile costs beside its rows then counts
  /// less.
  static func rows(outputs: Int, words: Int) -> Int {
    min(max(4096 / max(outputs, 1), 8), max(128 / max(words, 1), 32))
  }

  /// No tile is so large that threads are idle.
  init(outputs: Int, words: Int, positions: Int, threads: Int) {
    let share = (positions + threads - 1) / threads
    rows = max(1, min(BinaryTile.rows(outputs: outputs, words: words), share))
    self.outputs = outputs
  }

  /// Whole groups of rows of a kernel, about the same number in each tile.
  init(rows: Int, of positions: Int, multiple: Int, outputs: Int, threads: Int) {
    let tiles = max((positions + rows - 1) / rows, threads, 1)
    let share = (positions + tiles - 1) / tiles
    self.rows = max((share + multiple - 1) / multiple * multiple, 1)
    self.outputs = outputs
  }
}

/// When a thread computes a part of the outputs of a tile.
struct PartOrder {
  /// Before all other parts of these positions.
  var isStart: Bool
  /// In the first tile, when no weights are in the cache.
  var isFirst: Bool
  /// In the last tile, after which the weights of another layer are needed.
  var isLast: Bool
}
