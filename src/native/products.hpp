// Matrix products on panels: a block of rows of one operand is broadcast, two vectors of the other are multiplied.
//
// A matrix of R rows and C columns is kept as ceil(C / panel) panels, one after the other; a panel holds `panel`
// columns of all R rows, row after row. So both operands of every product are read as contiguous streams, whichever
// index is summed over, and no product packs anything:
//
//     rows:      C[i][j] (+)= sum_k A[i][k] B[k][j]     forward (A inputs, B weights) and backward (A deltas)
//     direct:    the same with A row after row, as callers hold it
//     outer:     C[i][j] (+)= sum_s A[s][i] B[s][j]     weight gradients, summed over the samples s
//
// A tile of up to 12 x 2 vectors stays in registers (24 accumulators hide the latency of the multiply-adds).
#pragma once

#include "simd.hpp"

namespace handgrad::HG_ISA {

#if HG_BYTES == 64
constexpr int tile_rows = 12;
#else
constexpr int tile_rows = 6;
#endif

// What a tile begins with. accumulate: the sum goes on from what C holds; apart: a sum of its own is added to C at the end.
enum class Begin { zero, bias, accumulate, apart };

template <class T>
struct Tile {
    std::int64_t depth;     // length of the sum
    const T* a;             // broadcast operand, at its first row (rows) or column (outer)
    std::int64_t a_panel;   // rows: elements from one panel of A to the next; direct: from one row to the next
    const T* b;             // vector operand, rows of `panel` elements
    const T* bias;          // Begin::bias: one panel of it
    T* c;                   // result, rows of `panel` elements
    Begin begin;
};

template <class T, int MR, int NV>
struct Accumulators {
    Vec<T> v[MR][NV];

    HG_INLINE void start(const Tile<T>& t) {
        if (t.begin == Begin::accumulate) {
#pragma GCC unroll 16
            for (int i = 0; i < MR; ++i)
#pragma GCC unroll 2
                for (int n = 0; n < NV; ++n) v[i][n] = load(t.c + i * panel<T> + n * lanes<T>);
        } else {
            Vec<T> first[NV];
#pragma GCC unroll 2
            for (int n = 0; n < NV; ++n)
                first[n] = t.begin == Begin::bias ? load(t.bias + n * lanes<T>) : Vec<T>{};
#pragma GCC unroll 16
            for (int i = 0; i < MR; ++i)
#pragma GCC unroll 2
                for (int n = 0; n < NV; ++n) v[i][n] = first[n];
        }
    }
    template <int A_ROW>
    HG_INLINE void add(const T* a, const T* b) {
        Vec<T> right[NV];
#pragma GCC unroll 2
        for (int n = 0; n < NV; ++n) right[n] = load(b + n * lanes<T>);
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i) {
            const Vec<T> left = all<T>(a[i * A_ROW]);
#pragma GCC unroll 2
            for (int n = 0; n < NV; ++n) v[i][n] += left * right[n];
        }
    }
    // The same for rows `step` elements apart, from one address for every three: a processor has 16 registers for them.
    HG_INLINE void add_apart(const T* const* row, int k, std::int64_t step, const T* b) {
        Vec<T> right[NV];
#pragma GCC unroll 2
        for (int n = 0; n < NV; ++n) right[n] = load(b + n * lanes<T>);
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i) {
            const Vec<T> left = all<T>(row[i / 3][i % 3 * step + k]);
#pragma GCC unroll 2
            for (int n = 0; n < NV; ++n) v[i][n] += left * right[n];
        }
    }
    HG_INLINE void finish(const Tile<T>& t) {
        if (t.begin == Begin::apart) {
#pragma GCC unroll 16
            for (int i = 0; i < MR; ++i)
#pragma GCC unroll 2
                for (int n = 0; n < NV; ++n) v[i][n] = load(t.c + i * panel<T> + n * lanes<T>) + v[i][n];
        }
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 2
            for (int n = 0; n < NV; ++n) store(t.c + i * panel<T> + n * lanes<T>, v[i][n]);
    }
};

template <class T, int MR, int NV>
void rows_tile(const Tile<T>& t) {
    Accumulators<T, MR, NV> sums;
    sums.start(t);
    const T* b = t.b;
    const T* a = t.a;
    std::int64_t left = t.depth;
    for (; left >= panel<T>; left -= panel<T>, a += t.a_panel) {
        for (int k = 0; k < panel<T>; k += 4) {
#pragma GCC unroll 4
            for (int u = 0; u < 4; ++u) sums.template add<panel<T>>(a + k + u, b + u * panel<T>);
            b += 4 * panel<T>;
        }
    }
    for (int k = 0; k < left; ++k, b += panel<T>) sums.template add<panel<T>>(a + k, b);
    sums.finish(t);
}

// Keeps the compiler from making one address of every sum of these: they would not fit into the registers.
template <int N, class T>
HG_INLINE void keep_apart(const T** row, std::int64_t& step) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) asm("" : "+r"(row[i]));
    asm("" : "+r"(step));
}

template <class T, int MR, int NV>
void direct_tile(const Tile<T>& t) {
    Accumulators<T, MR, NV> sums;
    sums.start(t);
    const T *a = t.a, *b = t.b;
    std::int64_t step = t.a_panel;
    std::int64_t k = 0;
    const T* row[(MR + 2) / 3];
    for (int i = 0; i < MR; i += 3) row[i / 3] = a + i * step;
    for (; k + 4 <= t.depth; k += 4, b += 4 * panel<T>) {
        keep_apart<(MR + 2) / 3>(row, step);
#pragma GCC unroll 4
        for (int u = 0; u < 4; ++u) sums.add_apart(row, u, step, b + u * panel<T>);
#pragma GCC unroll 4
        for (int i = 0; i < (MR + 2) / 3; ++i) row[i] += 4;
    }
    for (; k < t.depth; ++k, b += panel<T>) {
        sums.add_apart(row, 0, step, b);
        for (int i = 0; i < (MR + 2) / 3; ++i) row[i] += 1;
    }
    sums.finish(t);
}

template <class T, int MR, int NV>
void outer_tile(const Tile<T>& t) {
    Accumulators<T, MR, NV> sums;
    sums.start(t);
    const T *a = t.a, *b = t.b;
    std::int64_t s = 0;
    for (; s + 4 <= t.depth; s += 4, a += 4 * panel<T>, b += 4 * panel<T>) {
#pragma GCC unroll 4
        for (int u = 0; u < 4; ++u) sums.template add<1>(a + u * panel<T>, b + u * panel<T>);
    }
    for (; s < t.depth; ++s, a += panel<T>, b += panel<T>) sums.template add<1>(a, b);
    sums.finish(t);
}

template <class T>
using TileKernel = void (*)(const Tile<T>&);

template <class T, int MR>
struct TileTable {
    static constexpr TileKernel<T> rows(int count, int vectors) {
        if (count == MR) return vectors == 1 ? rows_tile<T, MR, 1> : rows_tile<T, MR, 2>;
        return TileTable<T, MR - 1>::rows(count, vectors);
    }
    static constexpr TileKernel<T> direct(int count, int vectors) {
        if (count == MR) return vectors == 1 ? direct_tile<T, MR, 1> : direct_tile<T, MR, 2>;
        return TileTable<T, MR - 1>::direct(count, vectors);
    }
    static constexpr TileKernel<T> outer(int count, int vectors) {
        if (count == MR) return vectors == 1 ? outer_tile<T, MR, 1> : outer_tile<T, MR, 2>;
        return TileTable<T, MR - 1>::outer(count, vectors);
    }
};
template <class T>
struct TileTable<T, 0> {
    static constexpr TileKernel<T> rows(int, int) { return nullptr; }
    static constexpr TileKernel<T> direct(int, int) { return nullptr; }
    static constexpr TileKernel<T> outer(int, int) { return nullptr; }
};

// All tile kernels of one element type, by number of rows and vectors.
template <class T>
struct Kernels {
    TileKernel<T> rows[tile_rows + 1][3]{};
    TileKernel<T> direct[tile_rows + 1][3]{};
    TileKernel<T> outer[tile_rows + 1][3]{};

    constexpr Kernels() {
        for (int i = 1; i <= tile_rows; ++i)
            for (int n = 1; n <= 2; ++n) {
                rows[i][n] = TileTable<T, tile_rows>::rows(i, n);
                direct[i][n] = TileTable<T, tile_rows>::direct(i, n);
                outer[i][n] = TileTable<T, tile_rows>::outer(i, n);
            }
    }
};
template <class T>
constexpr Kernels<T> kernels{};

// Splits `count` rows into tiles of nearly equal height: the height of the next one.
HG_INLINE int next_tile(std::int64_t count) {
    const std::int64_t tiles = (count + tile_rows - 1) / tile_rows;
    return static_cast<int>((count + tiles - 1) / tiles);
}

// `after` for every tile of a product over no columns at all.
template <class T, class After>
inline void each_tile(std::int64_t columns, T* c, std::int64_t c_rows, std::int64_t r0, std::int64_t r1, After after) {
    for (std::int64_t p = 0; p < panels<T>(columns); ++p)
        for (std::int64_t r = r0; r < r1;) {
            const int height = next_tile(r1 - r);
            after(p, r, height, vectors_in<T>(columns, p), c + (p * c_rows + r) * panel<T>);
            r += height;
        }
}

}  // namespace handgrad::HG_ISA
