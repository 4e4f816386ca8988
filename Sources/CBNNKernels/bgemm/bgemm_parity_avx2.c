// Parity tables (see `bgemm_parity_avx512.c`) in vectors of 256 bits: one lookup for two bits of K,
// eight rows × 32 outputs at a time. The unit of K is half a word, of which a lane has 32 bits, and
// `vpermd` looks up one of eight entries of 32 outputs for each row.
//
// Weights: [block of 32 outputs]{[half][pair of bits][8 parities of a row] 32 outputs in the order
// of `position`, then their parities after the last half, eight times}. Rows: [group of 8]{[half]{prefix
// parities before and after each bit}, then the parity, in all bits of a lane}, one lane per row.
#include "bnn_bgemm.h"

#if BNN_X86_64

#include <immintrin.h>
#include <string.h>

#include "../bits/word_bits.h"
#include "../planes_avx2.h"
#include "parity_entries.h"

#define BNN_AVX2 __attribute__((target("avx2")))
#define BNN_AVX2_INLINE static inline __attribute__((always_inline, target("avx2")))
#define BNN_UNROLL _Pragma("clang loop unroll(full)")

enum { columns = 32, group_rows = 8, pairs_per_half = 16, vectors_per_half = 2 };

static size_t block_vectors(size_t words) { return 2 * words * pairs_per_half + 1; }
static size_t group_vectors(size_t words) { return 2 * words * vectors_per_half + 1; }

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

static void pack_weights(size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint32_t *out = packed;
  for (size_t first = 0; first < outputs; first += columns) {
    uint64_t parity = 0;
    for (size_t k = 0; k < words; k++) {
      uint64_t planes[64] = {0};
      for (size_t o = first; o < first + columns && o < outputs; o++)
        planes[position(o - first)] = rows[o * words + k];
      bnn_transpose_words(planes);
      for (size_t bit = 0; bit < 64; bit += 2) {
        const output_parities own = next_parities(parity, planes[bit], planes[bit + 1]);
        for (size_t row = 0; row < table_entries; row++) *out++ = (uint32_t)table_entry(own, row);
        parity = own.after;
      }
    }
    for (size_t lane = 0; lane < group_rows; lane++) *out++ = (uint32_t)parity;
  }
}

// Both halves of a word of each row of a whole group, which lie side by side.
BNN_AVX2_INLINE void load_words(
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
BNN_AVX2_INLINE __m256i gather_halves(
  const uint32_t *const *rows, size_t count, size_t offset) {
  uint32_t halves[group_rows] = {0};
  for (size_t m = 0; m < count; m++) halves[m] = rows[m][offset];
  return _mm256_loadu_si256((const __m256i *)halves);
}

// Writes one half of the rows of a group; all bits of a lane of `parity` are the parity before it.
BNN_AVX2_INLINE __m256i arrange_half(__m256i bits, __m256i parity, __m256i *out) {
  BNN_UNROLL for (int step = 1; step < 32; step *= 2)
    bits = _mm256_xor_si256(bits, _mm256_slli_epi32(bits, step));
  const __m256i after = _mm256_xor_si256(bits, parity);
  out[0] = _mm256_sub_epi32(_mm256_add_epi32(after, after), parity);
  out[1] = after;
  return _mm256_srai_epi32(after, 31);
}

BNN_AVX2 static void arrange_group(const bnn_bit_rows *rows, size_t first, __m256i *out) {
  const uint32_t *const *own = rows->rows + first;
  const size_t left = rows->count - first, count = left < group_rows ? left : group_rows;
  __m256i parity = _mm256_setzero_si256(), low, high;
  for (size_t half = 0; half < rows->halves;) {
    const uint32_t *offsets = rows->offsets + half;
    const bool has_two = half + 1 < rows->halves && offsets[1] == offsets[0] + 1;
    if (has_two && count == group_rows) {
      load_words(own, offsets[0], &low, &high);
      parity = arrange_half(low, parity, out);
      parity = arrange_half(high, parity, out + vectors_per_half);
      half += 2;
      out += 2 * vectors_per_half;
    } else {
      parity = arrange_half(gather_halves(own, count, offsets[0]), parity, out);
      half += 1;
      out += vectors_per_half;
    }
  }
  // What there is no bit of has parities that nothing changes.
  if (rows->halves % 2 != 0) {
    parity = arrange_half(_mm256_setzero_si256(), parity, out);
    out += vectors_per_half;
  }
  *out = parity;
}

BNN_AVX2 static void arrange(const bnn_bit_rows *rows, void *arranged) {
  __m256i *out = arranged;
  for (size_t m = 0; m < rows->count; m += group_rows, out += group_vectors(bnn_row_words(rows)))
    arrange_group(rows, m, out);
}

// The rows of two groups whose halves lie side by side.
BNN_AVX2 static void arrange_two(const bnn_bit_rows *rows, void *arranged) {
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
      parities[0] = arrange_half(bits[0], parities[0], to);
      parities[1] = arrange_half(bits[1], parities[1], to + second);
    }
    to[0] = parities[0];
    to[second] = parities[1];
  }
}

// sum + 2 · carry = sum + b + c in each bit.
BNN_AVX2_INLINE __m256i add_carry(__m256i *sum, __m256i b, __m256i c) {
  const __m256i differ = _mm256_xor_si256(b, c), half = _mm256_xor_si256(b, *sum);
  *sum = _mm256_xor_si256(half, c);
  return _mm256_xor_si256(b, _mm256_and_si256(differ, half));
}

// Mismatches as bit planes: the parity, the weights 2 to 32, and 64 upwards.
enum { low_planes = 5, high_planes = 8 };

// Where the planes of twice the mismatches are in two bytes, whose first and last bit are 0.
enum { parity_at = 1, low_at = 2, high_at = low_at + low_planes, all_planes = 16 };

// The parities before, within and after a pair, in the low bits of each lane. A vector read some
// bytes later has the bytes of all lanes that much lower, which saves a shift.
BNN_AVX2_INLINE __m256i parities_of(const __m256i *row, unsigned pair) {
  const unsigned bit = 2 * pair;
  if (bit % 8 == 0) return _mm256_loadu_si256((const __m256i *)((const char *)row + bit / 8));
  return _mm256_srli_epi32(row[1], (int)bit - 1);
}

// Adds half a word of K of a group of rows; the carry has the weight 32.
BNN_AVX2_INLINE __m256i add_half(
  const __m256i *row, const __m256i *table, __m256i planes[low_planes]) {
  // The carries of each plane wait for a second one.
  __m256i waiting[low_planes], found = _mm256_setzero_si256();
  BNN_UNROLL for (unsigned pair = 0; pair < pairs_per_half; pair++) {
    found = _mm256_permutevar8x32_epi32(table[pair], parities_of(row, pair));
    size_t plane = 0;
    BNN_UNROLL for (; pair >> plane & 1; plane++)
      found = add_carry(&planes[plane], waiting[plane], found);
    waiting[plane] = found;
  }
  return found;
}

// The planes of some words of a group of rows and a block of outputs, but for the parity.
BNN_AVX2_INLINE void count_words(
  const __m256i *row, const __m256i *table, size_t words, __m256i planes[all_planes]) {
  __m256i waiting[high_planes];
  for (size_t plane = 0; plane < all_planes; plane++) planes[plane] = _mm256_setzero_si256();
  __m256i low[low_planes];
  BNN_UNROLL for (size_t plane = 0; plane < low_planes; plane++)
    low[plane] = _mm256_setzero_si256();
  for (size_t word = 0; word < words; word++) {
    const __m256i first = add_half(row, table, low);
    const __m256i second = add_half(row + vectors_per_half, table + pairs_per_half, low);
    __m256i carry = add_carry(&low[low_planes - 1], first, second);
    size_t plane = 0;
    for (; word >> plane & 1; plane++)
      carry = add_carry(&planes[high_at + plane], waiting[plane], carry);
    waiting[plane] = carry;
    row += 2 * vectors_per_half;
    table += 2 * pairs_per_half;
  }
  // What still waits.
  __m256i carry = _mm256_setzero_si256();
  for (size_t plane = 0; words >> plane != 0; plane++) {
    const __m256i own = words >> plane & 1 ? waiting[plane] : _mm256_setzero_si256();
    carry = add_carry(&planes[high_at + plane], own, carry);
  }
  BNN_UNROLL for (size_t plane = 0; plane < low_planes; plane++)
    planes[low_at + plane] = low[plane];
}

// Exchanges the bits of `a` outside of `mask` for those of `b` inside, `shift` apart.
BNN_AVX2_INLINE void exchange_bits(__m256i *a, __m256i *b, char mask, int shift) {
  const __m256i differ = _mm256_and_si256(
    _mm256_xor_si256(_mm256_srli_epi16(*a, shift), *b), _mm256_set1_epi8(mask));
  *b = _mm256_xor_si256(*b, differ);
  *a = _mm256_xor_si256(*a, _mm256_slli_epi16(differ, shift));
}

// Bit i of each byte of vector k becomes bit k of that byte of vector i.
BNN_AVX2_INLINE void transpose_bytes(__m256i vectors[8]) {
  BNN_UNROLL for (size_t k = 0; k < 4; k++) exchange_bits(vectors + k, vectors + k + 4, 0x0f, 4);
  BNN_UNROLL for (size_t k = 0; k < 8; k += k % 4 == 1 ? 3 : 1)
    exchange_bits(vectors + k, vectors + k + 2, 0x33, 2);
  BNN_UNROLL for (size_t k = 0; k < 8; k += 2)
    exchange_bits(vectors + k, vectors + k + 1, 0x55, 1);
}

// Planes to numbers of 16 bits: [row][output].
BNN_AVX2_INLINE void numbers_of_planes(
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
BNN_AVX2_INLINE void subtract(
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
BNN_AVX2 static void multiply_group(
  const __m256i *row, const __m256i *table, size_t words, size_t rows, size_t outputs,
  const int32_t *const *bases, size_t first_output, int32_t *out, size_t out_stride) {
  const __m256i parity = _mm256_xor_si256(
    row[2 * words * vectors_per_half], table[2 * words * pairs_per_half]);
  const int32_t *from[group_rows];
  for (size_t m = 0; m < rows; m++) from[m] = bases[m] + first_output;
  size_t first = 0;
  do {
    const size_t left = words - first, chunk = left < longest_chunk ? left : longest_chunk;
    __m256i planes[all_planes];
    uint16_t numbers[group_rows][columns] __attribute__((aligned(32)));
    count_words(
      row + 2 * first * vectors_per_half, table + 2 * first * pairs_per_half, chunk, planes);
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

BNN_AVX2 static void multiply(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  (void)next;
  const size_t words = bnn_row_words(rows);
  const __m256i *table = packed_weights;
  for (size_t o = 0; o < outputs; o += columns, table += block_vectors(words)) {
    const size_t count = outputs - o < columns ? outputs - o : columns;
    const __m256i *row = arranged;
    for (size_t m = 0; m < rows->count; m += group_rows, row += group_vectors(words)) {
      const size_t left = rows->count - m;
      multiply_group(
        row, table, words, left < group_rows ? left : group_rows, count, bases + m, o,
        out + m * out_stride + o, out_stride);
    }
  }
}

// Planes of two blocks as those of 64 outputs. Of the words of K follows how many are set.
BNN_AVX2_INLINE void join_planes(
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

BNN_AVX2 static void count(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, bnn_planes *out) {
  (void)next;
  const size_t words = bnn_row_words(rows), blocks = (outputs + 2 * columns - 1) / (2 * columns);
  const size_t parity_of_row = 2 * words * vectors_per_half;
  const size_t parity_of_table = 2 * words * pairs_per_half;
  const __m256i *table = packed_weights;
  for (size_t block = 0; block < blocks; block++) {
    const size_t parts = outputs - block * 2 * columns > columns ? 2 : 1;
    const __m256i *row = arranged;
    bnn_planes *to = out + block;
    for (size_t m = 0; m < rows->count;
         m += group_rows, row += group_vectors(words), to += blocks) {
      __m256i planes[2][all_planes];
      for (size_t part = 0; part < parts; part++) {
        const __m256i *own = table + part * block_vectors(words);
        count_words(row, own, words, planes[part]);
        planes[part][parity_at] =
          _mm256_xor_si256(row[parity_of_row], own[parity_of_table]);
      }
      join_planes(planes[0], planes[parts - 1], words, to);
    }
    table += parts * block_vectors(words);
  }
}

const bnn_bgemm bnn_bgemm_8x32__avx2 = {
  .name = "bnn_bgemm_8x32__avx2",
  .isa = BNN_ISA_AVX2,
  .cost = {.rows = 8, .outputs = 32, .word = 70, .rest = 480, .tested_rest = 200, .row_word = 14},
  // Derived from the number of instructions, not measured.
  .intel_cost = {
    .rows = 8, .outputs = 32, .word = 75, .rest = 450, .tested_rest = 230, .row_word = 16},
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
