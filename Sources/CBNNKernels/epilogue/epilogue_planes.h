// The epilogue of bit planes for a target whose file defines, for rows of a group of eight from a
// multiple of `rows_at_once` on,
// - `row_numbers`, what planes say in numbers: `numbers_of_rows` fills it, and `number_at` reads it;
// - `group_rows`, the rows of planes;
// - `finish_rows`, which finishes `rows_at_once` rows of whole vectors of channels of a block.

BNN_INLINE bool have_one_base(const int32_t *const *bases) {
  bool all_same = true;
  for (size_t m = 1; m < rows_at_once; m++) all_same &= bases[m] == bases[0];
  return all_same;
}

// Some rows of a block that do not fill vectors: their accumulators, without a gap, go through the steps.
BNN_INLINE void finish_edge(
  const bnn_planes *planes, const int32_t *const *bases, size_t rows, size_t width, part p,
  const job *job) {
  row_numbers twice;
  int32_t numbers[rows_at_once * block], *to = numbers;
  numbers_of_rows(planes, p.row % group_rows, &twice);
  for (size_t m = 0; m < rows; m++)
    for (size_t c = 0; c < width; c++) *to++ = bases[m][p.channel + c] - number_at(&twice, m, c);
  struct job edge = *job;
  edge.channels = (bnn_channel_range){job->channels.all, p.channel, width};
  edge.x = (const char *)numbers;
  edge.x_step = width;
  edge.first_row = p.row;
  finish(true, p.row + rows, &edge);
}

BNN_TARGET static void finish_planes(
  size_t rows, bnn_channel_range channels, const bnn_planes *planes,
  const int32_t *const *bases, const bnn_epilogue_step *steps, size_t count, float *values,
  size_t values_step, const bnn_epilogue_test *test, uint64_t *bits) {
  const job job = {
    .channels = channels, .steps = steps, .count = count, .values = values,
    .values_step = values_step, .test = test, .bits = bits};
  const beginning begins = beginning_of(&job);
  const size_t blocks = (channels.count + block - 1) / block;
  for (size_t row = 0; row < rows; row += rows_at_once, bases += rows_at_once) {
    const size_t left = rows - row;
    const bool is_whole = left >= rows_at_once, has_one_base = is_whole && have_one_base(bases);
    const bnn_planes *own = planes + row / group_rows * blocks;
    for (size_t i = 0; i < channels.count; i += block, own++) {
      const size_t rest = channels.count - i, width = rest < block ? rest : block;
      const part p = {row, channels.first + i, 0};
      if (is_whole && width % lanes == 0 && has_one_base)
        finish_rows(own, bases, true, width, p, &job, begins);
      else if (is_whole && width % lanes == 0)
        finish_rows(own, bases, false, width, p, &job, begins);
      else
        finish_edge(own, bases, is_whole ? rows_at_once : left, width, p, &job);
    }
  }
}
