// Parity tables (see `bgemm_parity_avx512.c`) in vectors of 256 bits: one lookup for two bits of K,
// eight rows × 32 outputs at a time. The unit of K is half a word. `vpshufb` looks up bytes among 16
// of its lane of 128 bits: eight entries of eight outputs, and eight of the next eight outputs.
//
// Weights: [block of 32 outputs]{[half][pair of bits][4 bytes of outputs][8 parities of a row] bytes
// of outputs in the order of `position`, then their parities after the last half, eight times}. Rows:
// [group of 8]{[half][pair of bits][row] indices of two entries, then the parity, in all bits of a
// lane of each row}. Pairs are in the order of `place_of_pair`.
#include "bnn_bgemm.h"

#if BNN_X86_64

#include <immintrin.h>
#include <string.h>

#include "../bits/word_bits.h"
#include "../planes_avx2.h"
#include "ahead.h"
#include "parity_entries.h"

#define BNN_TARGET __attribute__((target("avx2")))
#define BNN_TARGET_INLINE static inline __attribute__((always_inline, target("avx2")))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")

typedef __m256i slice;
#include "../carry_pairs.h"

enum { columns = 32, group_rows = 8, pairs_per_half = 16, pairs_per_word = 2 * pairs_per_half };

// The indices of a pair take half a vector.
enum { vectors_per_half = pairs_per_half / 2, vectors_per_word = 2 * vectors_per_half };

static size_t block_vectors(size_t words) { return words * pairs_per_word + 1; }
static size_t group_vectors(size_t words) { return words * vectors_per_word + 1; }

static size_t weight_bytes(size_t outputs, size_t words) {
  return (outputs + columns - 1) / columns * block_vectors(words) * sizeof(__m256i);
}

static size_t arranged_bytes(size_t rows, size_t words) {
  return (rows + group_rows - 1) / group_rows * group_vectors(words) * sizeof(__m256i);
}

// The bit of an output in the entries of its block: the first two exchanges of the transposition of
// 8 × 8 bits, of which the last would bring together what two blocks hold. Four outputs in a row
// share a bit of their bytes.
static size_t position(size_t output) {
  for (size_t i = 0; i < 2; i++) {
    const size_t differ = (output >> i ^ output >> (i + 3)) & 1;
    output ^= differ << i | differ << (i + 3);
  }
  return output;
}

// Where a pair of a word is: its bytes 0 and 2 take turns, then 1 and 3, 4 and 6, 5 and 7.
static size_t place_of_pair(size_t pair) {
  const size_t byte = pair / 4;
  return byte / 4 * pairs_per_half + byte % 2 * 8 + pair % 4 * 2 + byte / 2 % 2;
}

// The entries of one pair: all of a byte of outputs side by side.
static void fill_entries(output_parities own, uint8_t *entries) {
  for (size_t row = 0; row < table_entries; row++) {
    const uint64_t found = table_entry(own, row);
    for (size_t byte = 0; byte < columns / 8; byte++)
      entries[byte * table_entries + row] = (uint8_t)(found >> 8 * byte);
  }
}

static void pack_weights(size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint8_t *out = packed;
  for (size_t first = 0; first < outputs; first += columns) {
    uint64_t parity = 0;
    for (size_t k = 0; k < words; k++) {
      uint64_t planes[64] = {0};
      for (size_t o = first; o < first + columns && o < outputs; o++)
        planes[position(o - first)] = rows[o * words + k];
      bnn_transpose_words(planes);
      for (size_t pair = 0; pair < pairs_per_word; pair++) {
        const output_parities own =
          next_parities(parity, planes[2 * pair], planes[2 * pair + 1]);
        fill_entries(own, out + place_of_pair(pair) * sizeof(__m256i));
        parity = own.after;
      }
      out += pairs_per_word * sizeof(__m256i);
    }
    const uint32_t last = (uint32_t)parity;
    for (size_t lane = 0; lane < group_rows; lane++, out += sizeof last)
      memcpy(out, &last, sizeof last);
  }
}

// Both halves of a word of each row of a whole group, which lie side by side.
BNN_TARGET_INLINE void load_words(
  const uint32_t *const *rows, size_t offset, __m256i *low, __m256i *high) {
  __m128 two[4];
  BNN_UNROLL for (size_t i = 0; i < 4; i++) {
    const void *first = rows[2 * i] + offset, *second = rows[2 * i + 1] + offset;
    two[i] = _mm_castsi128_ps(_mm_loadl_epi64(first));
    two[i] = _mm_loadh_pi(two[i], second);
  }
  const __m256 outer = _mm256_set_m128(two[2], two[0]), inner = _mm256_set_m128(two[3], two[1]);
  *low = _mm256_castps_si256(_mm256_shuffle_ps(outer, inner, 0x88));
  *high = _mm256_castps_si256(_mm256_shuffle_ps(outer, inner, 0xdd));
}

// One half of each row of a group; 0 for rows after the last.
BNN_TARGET_INLINE __m256i gather_halves(
  const uint32_t *const *rows, size_t count, size_t offset) {
  uint32_t halves[group_rows] = {0};
  for (size_t m = 0; m < count; m++) halves[m] = rows[m][offset];
  return _mm256_loadu_si256((const __m256i *)halves);
}

// Byte k of each row's lane, twice, as lane of 16 bits: of the bytes 0 and 2, and of 1 and 3.
BNN_TARGET_INLINE void spread_bytes(__m256i lanes, __m256i even_and_odd[2]) {
  const __m256i by_byte = _mm256_broadcastsi128_si256(
    _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m256i bytes = _mm256_permutevar8x32_epi32(
    _mm256_shuffle_epi8(lanes, by_byte), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  even_and_odd[0] = _mm256_unpacklo_epi8(bytes, bytes);
  even_and_odd[1] = _mm256_unpackhi_epi8(bytes, bytes);
}

// Indices from the parities before, within and after a pair in the low bits of bytes. The instruction
// ignores three bits of them and gives 0 where the highest is set.
BNN_TARGET_INLINE __m256i indices_of(__m256i parities) {
  return _mm256_or_si256(
    _mm256_and_si256(parities, _mm256_set1_epi8(0x77)), _mm256_set1_epi16(0x0800));
}

// Bit k of each lane becomes the parity of its bits up to k, in two vectors side by side: one step
// waits for the one before it.
BNN_TARGET_INLINE void prefix_parities(__m256i bits[2]) {
  BNN_UNROLL for (int step = 1; step < 32; step *= 2) {
    BNN_UNROLL for (size_t i = 0; i < 2; i++)
      bits[i] = _mm256_xor_si256(bits[i], _mm256_slli_epi32(bits[i], step));
  }
}

// Writes one half of the rows of a group, whose prefix parities are given; all bits of a lane of
// `parity` are the parity before it.
BNN_TARGET_INLINE void write_half(__m256i after, __m256i parity, __m256i *out) {
  const __m256i before = _mm256_sub_epi32(_mm256_add_epi32(after, after), parity);
  __m256i from_before[2], from_after[2];
  spread_bytes(before, from_before);
  spread_bytes(after, from_after);
  BNN_UNROLL for (size_t byte = 0; byte < 2; byte++) {
    BNN_UNROLL for (int bit = 0; bit < 6; bit += 2)
      *out++ = indices_of(_mm256_srli_epi16(from_before[byte], bit));
    // The last pair of a byte ends in the next one.
    *out++ = indices_of(_mm256_srli_epi16(from_after[byte], 5));
  }
}

// The highest bit of each lane in all its bits.
BNN_TARGET_INLINE __m256i spread_highest(__m256i lanes) { return _mm256_srai_epi32(lanes, 31); }

// The prefix parities of a word of the rows of a group, each half by itself.
BNN_TARGET_INLINE void load_parities(
  const uint32_t *const *own, size_t count, const bnn_bit_rows *rows, size_t word,
  __m256i halves[2]) {
  const uint32_t *offsets = rows->offsets + 2 * word;
  const bool has_two = 2 * word + 1 < rows->halves;
  if (has_two && offsets[1] == offsets[0] + 1 && count == group_rows) {
    load_words(own, offsets[0], &halves[0], &halves[1]);
  } else {
    // What there is no bit of has parities that nothing changes.
    halves[0] = gather_halves(own, count, offsets[0]);
    halves[1] = has_two ? gather_halves(own, count, offsets[1]) : _mm256_setzero_si256();
  }
  prefix_parities(halves);
}

BNN_TARGET static void arrange_group(const bnn_bit_rows *rows, size_t first, __m256i *out) {
  const uint32_t *const *own = rows->rows + first;
  const size_t left = rows->count - first, count = left < group_rows ? left : group_rows;
  const size_t words = bnn_row_words(rows);
  __m256i parity = _mm256_setzero_si256(), halves[2], next[2] = {parity, parity};
  if (words > 0) load_parities(own, count, rows, 0, next);
  for (size_t word = 0; word < words; word++) {
    BNN_UNROLL for (size_t i = 0; i < 2; i++) halves[i] = next[i];
    // Prefix parities take long, while there is much else to do.
    if (word + 1 < words) load_parities(own, count, rows, word + 1, next);
    BNN_UNROLL for (size_t i = 0; i < 2; i++, out += vectors_per_half) {
      const __m256i after = _mm256_xor_si256(halves[i], parity);
      write_half(after, parity, out);
      parity = spread_highest(after);
    }
  }
  *out = parity;
}

BNN_TARGET static void arrange(const bnn_bit_rows *rows, void *arranged) {
  __m256i *out = arranged;
  for (size_t m = 0; m < rows->count; m += group_rows, out += group_vectors(bnn_row_words(rows)))
    arrange_group(rows, m, out);
}

// The rows of two groups whose halves lie side by side.
BNN_TARGET static void arrange_two(const bnn_bit_rows *rows, void *arranged) {
  const size_t step = group_vectors(bnn_row_words(rows));
  const size_t second = (rows->count + group_rows - 1) / group_rows * step;
  __m256i *out = arranged;
  for (size_t m = 0; m < rows->count; m += group_rows, out += step) {
    const uint32_t *const *own = rows->rows + m;
    const size_t left = rows->count - m, count = left < group_rows ? left : group_rows;
    __m256i parities[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    __m256i *to = out;
    // An odd number of halves is followed by one without bits.
    for (size_t half = 0; half < 2 * bnn_row_words(rows); half++, to += vectors_per_half) {
      __m256i bits[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
      if (half < rows->halves && count == group_rows) {
        load_words(own, rows->offsets[half], &bits[0], &bits[1]);
      } else if (half < rows->halves) {
        bits[0] = gather_halves(own, count, rows->offsets[half]);
        bits[1] = gather_halves(own, count, rows->offsets[half] + 1);
      }
      prefix_parities(bits);
      BNN_UNROLL for (size_t i = 0; i < 2; i++) {
        const __m256i after = _mm256_xor_si256(bits[i], parities[i]);
        write_half(after, parities[i], to + i * second);
        parities[i] = spread_highest(after);
      }
    }
    to[0] = parities[0];
    to[second] = parities[1];
  }
}

// Mismatches as bit planes: the parity, the weights 2 to 32, and 64 upwards.
enum { low_planes = 5, high_planes = 8 };

// Where the planes of twice the mismatches are in two bytes, whose first and last bit are 0.
enum { parity_at = 1, low_at = 2, high_at = low_at + low_planes, all_planes = 16 };

BNN_TARGET_INLINE __m256i look_up(const __m128i *indices, const __m256i *table, unsigned pair) {
  return _mm256_shuffle_epi8(table[pair], _mm256_broadcastsi128_si256(indices[pair]));
}

BNN_TARGET_INLINE slice_pair look_up_two(
  const __m128i *indices, const __m256i *table, unsigned pair) {
  return pair_of(look_up(indices, table, pair), look_up(indices, table, pair + 1));
}

// Adds a word of K of a group of rows; the carry has the weight 64.
BNN_TARGET_INLINE __m256i add_word(
  const __m128i *indices, const __m256i *table, __m256i planes[low_planes]) {
  // The carries of each plane wait for further two.
  slice_pair waiting[low_planes], found;
  BNN_UNROLL for (unsigned four = 0; four < pairs_per_word / 4; four++) {
    found = add_four(
      &planes[0], look_up_two(indices, table, 4 * four), look_up_two(indices, table, 4 * four + 2));
    size_t plane = 1;
    BNN_UNROLL for (; four >> (plane - 1) & 1; plane++)
      found = add_four(&planes[plane], waiting[plane], found);
    waiting[plane] = found;
  }
  return add_two(&planes[low_planes - 1], found);
}

// Two bytes of each row in each half of a vector as a lane of four bytes of each.
BNN_TARGET_INLINE __m256i lanes_of_rows(__m256i bytes) {
  const __m256i interleaved = _mm256_broadcastsi128_si256(
    _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
  return _mm256_shuffle_epi8(_mm256_permute4x64_epi64(bytes, 0xd8), interleaved);
}

// Enough for the tables of a word where four groups of rows ask for them.
enum { asks_per_word = 2 };

// The planes of some words of a group of rows and a block of outputs, but for the parity.
BNN_TARGET_INLINE void count_words(
  const __m256i *row, const __m256i *table, size_t words, ahead *ahead,
  __m256i planes[all_planes]) {
  __m256i waiting[high_planes];
  for (size_t plane = 0; plane < all_planes; plane++) planes[plane] = _mm256_setzero_si256();
  __m256i low[low_planes];
  BNN_UNROLL for (size_t plane = 0; plane < low_planes; plane++)
    low[plane] = _mm256_setzero_si256();
  for (size_t word = 0; word < words; word++) {
    BNN_UNROLL for (size_t i = 0; i < asks_per_word; i++) ask(ahead);
    __m256i carry = add_word((const __m128i *)row, table, low);
    size_t plane = 0;
    for (; word >> plane & 1; plane++)
      carry = add_two(&planes[high_at + plane], pair_of(waiting[plane], carry));
    waiting[plane] = carry;
    row += vectors_per_word;
    table += pairs_per_word;
  }
  // What still waits.
  __m256i carry = _mm256_setzero_si256();
  for (size_t plane = 0; words >> plane != 0; plane++) {
    const __m256i own = words >> plane & 1 ? waiting[plane] : _mm256_setzero_si256();
    carry = add_two(&planes[high_at + plane], pair_of(own, carry));
    planes[high_at + plane] = lanes_of_rows(planes[high_at + plane]);
  }
  BNN_UNROLL for (size_t plane = 0; plane < low_planes; plane++)
    planes[low_at + plane] = lanes_of_rows(low[plane]);
}

// Planes to numbers of 16 bits: [row][output].
BNN_TARGET_INLINE void numbers_of_planes(
  __m256i planes[all_planes], uint16_t numbers[group_rows][columns]) {
  transpose_bytes(planes);
  transpose_bytes(planes + 8);
  // Vector i and the fourth after it have four outputs each of each row, from 8i on.
  BNN_UNROLL for (size_t i = 0; i < 4; i++) {
    const __m256i *low = planes + i, *high = planes + 8 + i;
    const __m256i rows_0145[2] = {
      _mm256_unpacklo_epi8(low[0], high[0]), _mm256_unpacklo_epi8(low[4], high[4])};
    const __m256i rows_2367[2] = {
      _mm256_unpackhi_epi8(low[0], high[0]), _mm256_unpackhi_epi8(low[4], high[4])};
    const __m256i rows[4] = {
      _mm256_unpacklo_epi64(rows_0145[0], rows_0145[1]),
      _mm256_unpackhi_epi64(rows_0145[0], rows_0145[1]),
      _mm256_unpacklo_epi64(rows_2367[0], rows_2367[1]),
      _mm256_unpackhi_epi64(rows_2367[0], rows_2367[1])};
    BNN_UNROLL for (size_t m = 0; m < 4; m++) {
      _mm_store_si128((__m128i *)(numbers[m] + 8 * i), _mm256_castsi256_si128(rows[m]));
      _mm_store_si128(
        (__m128i *)(numbers[m + 4] + 8 * i), _mm256_extracti128_si256(rows[m], 1));
    }
  }
}

// out = base − twice the mismatches.
BNN_TARGET_INLINE void subtract(
  const uint16_t twice[columns], const int32_t *base, int32_t *out, size_t outputs) {
  if (outputs < columns) {
    for (size_t o = 0; o < outputs; o++) out[o] = base[o] - twice[o];
    return;
  }
  BNN_UNROLL for (size_t o = 0; o < columns; o += 8) {
    const __m256i counts =
      _mm256_cvtepu16_epi32(_mm_load_si128((const __m128i *)(twice + o)));
    const __m256i bases = _mm256_loadu_si256((const __m256i *)(base + o));
    _mm256_storeu_si256((__m256i *)(out + o), _mm256_sub_epi32(bases, counts));
  }
}

// Words give one carry each to the high planes.
enum { longest_chunk = (1 << high_planes) - 2 };

// The accumulators of a group of rows and a block of outputs.
BNN_TARGET static void multiply_group(
  const __m256i *row, const __m256i *table, size_t words, ahead *ahead, size_t rows,
  size_t outputs, const int32_t *const *bases, size_t first_output, int32_t *out,
  size_t out_stride) {
  const __m256i parity = _mm256_xor_si256(
    row[words * vectors_per_word], table[words * pairs_per_word]);
  const int32_t *from[group_rows];
  for (size_t m = 0; m < rows; m++) from[m] = bases[m] + first_output;
  size_t first = 0;
  do {
    const size_t left = words - first, chunk = left < longest_chunk ? left : longest_chunk;
    __m256i planes[all_planes];
    uint16_t numbers[group_rows][columns] __attribute__((aligned(32)));
    count_words(
      row + first * vectors_per_word, table + first * pairs_per_word, chunk, ahead, planes);
    first += chunk;
    if (first == words) planes[parity_at] = parity;
    numbers_of_planes(planes, numbers);
    for (size_t m = 0; m < rows; m++) {
      int32_t *to = out + m * out_stride;
      subtract(numbers[m], from[m], to, outputs);
      // Further chunks are subtracted from what is there.
      from[m] = to;
    }
  } while (first < words);
}

// The next tables of some blocks, of which each word of each group of rows asks for a share.
static ahead next_tables(
  const bnn_bit_rows *rows, const void *next, const void *now, size_t blocks) {
  const size_t words = bnn_row_words(rows), groups = (rows->count + group_rows - 1) / group_rows;
  return ahead_of(
    next, now, blocks * block_vectors(words) * sizeof(__m256i), groups * words * blocks * asks_per_word);
}

BNN_TARGET static void multiply(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  const size_t words = bnn_row_words(rows);
  const __m256i *table = packed_weights;
  for (size_t o = 0; o < outputs; o += columns, table += block_vectors(words)) {
    const size_t count = outputs - o < columns ? outputs - o : columns;
    const bool is_last = outputs - o <= columns;
    ahead ahead = next_tables(rows, is_last ? next : table + block_vectors(words), table, 1);
    const __m256i *row = arranged;
    for (size_t m = 0; m < rows->count; m += group_rows, row += group_vectors(words)) {
      const size_t left = rows->count - m;
      multiply_group(
        row, table, words, &ahead, left < group_rows ? left : group_rows, count, bases + m, o,
        out + m * out_stride + o, out_stride);
    }
  }
}

// Planes of two blocks as those of 64 outputs. Of the words of K follows how many are set.
BNN_TARGET_INLINE void join_planes(
  const __m256i first[all_planes], const __m256i second[all_planes], size_t words,
  bnn_planes *out) {
  for (size_t plane = 0; plane < all_planes; plane++) {
    __m256i *to = (__m256i *)out->words[plane];
    const bool is_set =
      plane >= parity_at && (plane < high_at || words >> (plane - high_at) != 0);
    if (!is_set) {
      to[0] = to[1] = _mm256_setzero_si256();
      continue;
    }
    const __m256i outer = _mm256_unpacklo_epi32(first[plane], second[plane]);
    const __m256i inner = _mm256_unpackhi_epi32(first[plane], second[plane]);
    to[0] = exchange_rows(_mm256_permute2x128_si256(outer, inner, 0x20), 2);
    to[1] = exchange_rows(_mm256_permute2x128_si256(outer, inner, 0x31), 2);
  }
}

BNN_TARGET static void count(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, bnn_planes *out) {
  const size_t words = bnn_row_words(rows), blocks = (outputs + 2 * columns - 1) / (2 * columns);
  const size_t parity_of_row = words * vectors_per_word;
  const size_t parity_of_table = words * pairs_per_word;
  const __m256i *table = packed_weights;
  for (size_t block = 0; block < blocks; block++) {
    const size_t parts = outputs - block * 2 * columns > columns ? 2 : 1;
    const __m256i *row = arranged, *following = table + parts * block_vectors(words);
    ahead ahead = next_tables(rows, block + 1 == blocks ? next : following, table, parts);
    bnn_planes *to = out + block;
    for (size_t m = 0; m < rows->count;
         m += group_rows, row += group_vectors(words), to += blocks) {
      __m256i planes[2][all_planes];
      for (size_t part = 0; part < parts; part++) {
        const __m256i *own = table + part * block_vectors(words);
        count_words(row, own, words, &ahead, planes[part]);
        planes[part][parity_at] =
          _mm256_xor_si256(row[parity_of_row], own[parity_of_table]);
      }
      join_planes(planes[0], planes[parts - 1], words, to);
    }
    table = following;
  }
}

const bnn_bgemm bnn_bgemm_8x32__avx2 = {
  .name = "bnn_bgemm_8x32__avx2",
  .isa = BNN_ISA_AVX2,
  .costs[BNN_CPU_OTHER] = {
    .rows = 8, .outputs = 32, .word = 58, .rest = 400, .tested_rest = 270, .row_word = 37},
  .best_rows = 32,
  .best_outputs = 128,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .arranged_bytes = arranged_bytes,
  .arrange = arrange,
  .arrange_two = arrange_two,
  .halves_apart = 1,
  .halves_per_gather = 256,
  .multiply = multiply,
  .count = count,
  .most_counted_words = longest_chunk,
  .fewest_counted_outputs = columns + 1,
};

#endif
