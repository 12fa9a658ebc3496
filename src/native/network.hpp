// The layers, and the forward and backward pass over some rows of a batch.
#pragma once

#include "arena.hpp"
#include "gathered.hpp"
#include "losses.hpp"
#include "philox.hpp"
#include "products.hpp"

namespace handgrad::HG_ISA {

// One layer with its parameters in panels.
//
// The weights are kept with the units in the lanes (a panel matrix of inputs x units) or, where the units are few,
// with the inputs in the lanes (units x inputs). The forward product wants the first form, the backward product the
// second; `turned` is the other form where it is needed.
template <class T>
struct Layer {
    std::int64_t inputs, units;
    Fn function;
    T alpha;
    Bias bias;
    bool dropout;
    T kept;  // 1 / keep
    Mask mask;
    bool units_in_lanes, by_dots, keeps_slope;
    std::int64_t rows, columns;  // of w
    T* w[4];                     // parameters, then the optimizer's memory
    T* b[4];
    T* turned;

    T* forward_weights() const { return units_in_lanes ? w[0] : turned; }
    T* backward_weights() const { return units_in_lanes ? turned : w[0]; }
    std::int64_t size() const { return rows * padded<T>(columns); }
};

// Rows of data that will be wanted next. They come from anywhere in memory, so they are asked for while the products
// run: some after each tile. Without an order they are the rows from `data` on.
struct Ahead {
    const char* data = nullptr;
    const std::int64_t* order = nullptr;
    std::int64_t row_bytes = 0, left = 0, each = 0, at = 0;

    HG_INLINE void ask() {
        for (std::int64_t i = least(each, left); i > 0; --i, ++at, --left) {
            const char* row = data + (order ? order[at] : at) * row_bytes;
            for (std::int64_t byte = 0; byte < row_bytes + 63; byte += 64) __builtin_prefetch(row + byte, 0, 2);
        }
    }
};

// Activations and deltas of some rows. Index 0 holds the inputs; all matrices are in panels of `rows` rows.
template <class T>
struct Work {
    std::int64_t rows;
    T** a;
    T** delta;
    std::int32_t* places;  // rows x columns of categories: which rows of the table are taken
    T** slope;    // f'(z) times the dropout factor, where it cannot be had from a; softmax: f before dropout
};

// Room for one group of samples, of each thread its own.
template <class T>
struct Scratch {
    T *z, *y, *a, *delta;  // outputs x lanes, for the widest softmax or output layer
    T* mask;
    T* block;  // a block of gradient
};

template <class T>
struct Net {
    int depth;
    Layer<T>* layers;  // layers[0] is not used
    OutputRule<T> output;
    Gathered<T> gathered;

    Layer<T>& layer(int l) const { return layers[l]; }
    bool gathers(int l) const { return l == 1 && gathered.columns > 0; }
    std::int64_t columns() const { return layers[1].inputs + gathered.columns; }  // of X
};

// Length of the sums of one pass: a slice of B this deep stays in the first-level cache.
template <class T>
constexpr std::int64_t pass_depth = 1024 / static_cast<std::int64_t>(sizeof(T)) / panel<T> * panel<T>;

// C[rows r0 to r1] = bias + A B, or where they are begun C + A B; `after(panel, row, height, vectors, c)` sees each finished tile while it is warm.
// DIRECT: A lies row after row, row 0 of it is row r0 of C, and `a_rows` is its width.
template <class T, bool DIRECT = false, class After>
HG_INLINE void multiply_rows(const T* a, std::int64_t a_rows, std::int64_t depth, const T* b, std::int64_t columns,
                             const T* bias, T* c, std::int64_t c_rows, std::int64_t r0, std::int64_t r1,
                             After after, bool begun = false) {
    constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T));  // elements of a cache line
    if (depth == 0) return each_tile<T>(columns, c, c_rows, r0, r1, after);
    for (std::int64_t k = 0; k < depth; k += pass_depth<T>) {
        const std::int64_t length = least(pass_depth<T>, depth - k);
        const bool last = k + length == depth;
        for (std::int64_t p = 0; p < panels<T>(columns); ++p) {
            const int vectors = vectors_in<T>(columns, p);
            Tile<T> tile{length,
                         DIRECT ? a + k : a + k * a_rows + r0 * panel<T>,
                         DIRECT ? a_rows : a_rows * panel<T>,
                         b + (p * depth + k) * panel<T>,
                         bias ? bias + p * panel<T> : nullptr,
                         c + (p * c_rows + r0) * panel<T>,
                         k > 0 || begun ? Begin::accumulate : bias ? Begin::bias : Begin::zero};
            // what the next tile and the next panel will want, where B is too large for the second-level cache
            const bool far = depth * columns * static_cast<std::int64_t>(sizeof(T)) > 300 * 1024;
            const std::int64_t tiles = most(1, (r1 - r0 + tile_rows - 1) / tile_rows);
            const T* next_b = b + ((p + 1 < panels<T>(columns) ? p + 1 : 0) * depth + k) * panel<T>;
            const std::int64_t each_b = (length * panel<T> / tiles + line - 1) / line * line;
            for (std::int64_t r = r0; r < r1;) {
                const int height = next_tile(r1 - r);
                if (far) {
                    for (std::int64_t at = 0; at < height * panel<T>; at += line)
                        __builtin_prefetch(tile.c + height * panel<T> + at, 1, 3);
                    for (std::int64_t at = 0; at < each_b; at += line) __builtin_prefetch(next_b + at, 0, 2);
                    next_b += each_b;
                }
                (DIRECT ? kernels<T>.direct : kernels<T>.rows)[height][vectors](tile);
                if (last) after(p, r, height, vectors, tile.c);
                tile.a += height * (DIRECT ? a_rows : panel<T>);
                tile.c += height * panel<T>;
                r += height;
            }
        }
    }
}

template <class T, bool SLOPE>
inline void activate_tile(const Layer<T>& layer, T* c, T* slope, int height, int vectors) {
    with_function(layer.function, [&](auto function) __attribute__((always_inline)) {
        if constexpr (function.value == Fn::identity && !SLOPE) return;
        for (int i = 0; i < height; ++i)
            for (int n = 0; n < vectors; ++n) {
                const std::int64_t at = i * panel<T> + n * lanes<T>;
                Vec<T> s;
                store(c + at, activate<T, SLOPE>(function.value, load(c + at), layer.alpha, s));
                if constexpr (SLOPE) store(slope + at, s);
            }
    });
}

template <class T>
inline void slope_tile(const Layer<T>& layer, T* c, const T* a, const T* slope, int height, int vectors) {
    if (layer.keeps_slope) {
        for (int i = 0; i < height; ++i)
            for (int n = 0; n < vectors; ++n) {
                const std::int64_t at = i * panel<T> + n * lanes<T>;
                store(c + at, load(c + at) * load(slope + at));
            }
        return;
    }
    with_function(layer.function, [&](auto function) __attribute__((always_inline)) {
        if constexpr (function.value == Fn::identity) return;
        for (int i = 0; i < height; ++i)
            for (int n = 0; n < vectors; ++n) {
                const std::int64_t at = i * panel<T> + n * lanes<T>;
                store(c + at, load(c + at) * slope_of_output<T>(function.value, load(a + at), layer.alpha));
            }
    });
}

// Z[row + i][j] for a whole vector of samples i: products along the inputs, summed across the lanes.
template <class T>
HG_INLINE Vec<T> dots(const Layer<T>& layer, const T* a, std::int64_t a_rows, std::int64_t row, std::int64_t j) {
    constexpr int n = lanes<T>;
    Vec<T> sum[n];
    for (int i = 0; i < n; ++i) sum[i] = Vec<T>{};
    for (std::int64_t p = 0; p < panels<T>(layer.inputs); ++p) {
        const T* from = a + (p * a_rows + row) * panel<T>;
        const T* w = layer.w[0] + (p * layer.rows + j) * panel<T>;
        for (int v = 0; v < vectors_in<T>(layer.inputs, p); ++v) {
            const Vec<T> right = load(w + v * n);
#pragma GCC unroll 16
            for (int i = 0; i < n; ++i) sum[i] += load(from + i * panel<T> + v * n) * right;
        }
    }
    using Order = std::make_index_sequence<n>;
#pragma GCC unroll 8
    for (int width = n / 2; width > 0; width /= 2)
#pragma GCC unroll 8
        for (int i = 0; i < width; ++i)
            sum[i] = detail::interleave_low<T>(sum[i], sum[i + width], Order{}) +
                     detail::interleave_high<T>(sum[i], sum[i + width], Order{});
    return sum[0] + layer.b[0][j];
}

template <class T>
inline void clear_lanes(T* to, std::int64_t from_column, std::int64_t columns) {
    for (std::int64_t c = from_column; c < (columns + lanes<T> - 1) / lanes<T> * lanes<T>; ++c)
        store(to + c * lanes<T>, Vec<T>{});
}

// Softmax in a hidden layer: rows become lanes and back.
template <class T>
inline void softmax_rows(const Layer<T>& layer, T* a, std::int64_t rows, std::int64_t r0, std::int64_t r1,
                         const Scratch<T>& scratch) {
    Vec<T> top, sum;
    for (std::int64_t r = r0; r < r1; r += lanes<T>) {
        rows_to_lanes(a, rows, layer.units, r, scratch.z);
        softmax_lanes(scratch.z, scratch.a, layer.units, top, sum);
        clear_lanes(scratch.a, layer.units, layer.units);
        lanes_to_rows(scratch.a, rows, layer.units, r, a);
    }
}
template <class T>
inline void softmax_backward_rows(const Layer<T>& layer, const T* f, T* delta, std::int64_t rows, std::int64_t r0,
                                  std::int64_t r1, const Scratch<T>& scratch) {
    for (std::int64_t r = r0; r < r1; r += lanes<T>) {
        rows_to_lanes(f, rows, layer.units, r, scratch.a);
        rows_to_lanes(delta, rows, layer.units, r, scratch.delta);
        softmax_backward_lanes(scratch.a, scratch.delta, layer.units);
        clear_lanes(scratch.delta, layer.units, layer.units);
        lanes_to_rows(scratch.delta, rows, layer.units, r, delta);
    }
}

// Multiplies rows by their dropout masks over keep; `second` too, where it is given.
template <class T>
inline void drop_rows(const Layer<T>& layer, T* a, T* second, std::int64_t rows, std::int64_t r0, std::int64_t r1,
                      std::int64_t first_sample, const Scratch<T>& scratch) {
    for (std::int64_t r = r0; r < r1; ++r) {
        draw_mask(layer.mask, first_sample + r, layer.units, layer.kept, scratch.mask);
        for (std::int64_t c = 0; c < layer.units; c += lanes<T>) {
            const std::int64_t at = (c / panel<T> * rows + r) * panel<T> + c % panel<T>;
            const Vec<T> factor = load(scratch.mask + c);
            store(a + at, load(a + at) * factor);
            if (second) store(second + at, load(second + at) * factor);
        }
    }
}

// A[l] of rows r0 to r1 from A[l-1]; `first_sample` is the place in the batch of row 0. Not for the output layer.
// `direct`: the inputs of row r0 and those after it, row after row, instead of A[l-1].
template <class T>
inline void forward_layer(const Net<T>& net, int l, const Work<T>& work, std::int64_t r0, std::int64_t r1,
                          std::int64_t first_sample, bool training, const Scratch<T>& scratch, Ahead& ahead,
                          const T* direct = nullptr) {
    const Layer<T>& layer = net.layer(l);
    T* a = work.a[l];
    const bool slope = training && layer.keeps_slope && layer.function != Fn::softmax;
    const auto finish = [&](std::int64_t p, std::int64_t r, int height, int vectors, T* c) __attribute__((always_inline)) {
        if (slope) activate_tile<T, true>(layer, c, work.slope[l] + (p * work.rows + r) * panel<T>, height, vectors);
        else activate_tile<T, false>(layer, c, nullptr, height, vectors);
        ahead.ask();
    };
    if (layer.by_dots) {
        for (std::int64_t r = r0; r < r1; r += lanes<T>) {
            for (std::int64_t j = 0; j < layer.units; ++j)
                store(scratch.z + j * lanes<T>, dots(layer, work.a[l - 1], work.rows, r, j));
            if (net.gathers(l)) add_to_lanes(net.gathered, work.places, r, scratch.z);
            clear_lanes(scratch.z, layer.units, layer.units);
            lanes_to_rows(scratch.z, work.rows, layer.units, r, a);
            finish(0, r, lanes<T>, 1, a + r * panel<T>);
        }
    } else if (direct) {
        multiply_rows<T, true>(direct, layer.inputs, layer.inputs, layer.forward_weights(), layer.units, layer.b[0], a,
                               work.rows, r0, r1, finish);
    } else {
        if (net.gathers(l)) begin_sums(net.gathered, layer.b[0], work.places, a, work.rows, r0, r1);
        multiply_rows(work.a[l - 1], work.rows, layer.inputs, layer.forward_weights(), layer.units, layer.b[0], a,
                      work.rows, r0, r1, finish, net.gathers(l));
    }
    if (layer.function == Fn::softmax) {
        softmax_rows(layer, a, work.rows, r0, r1, scratch);
        if (training && layer.dropout)
            for (std::int64_t p = 0; p < panels<T>(layer.units); ++p)
                std::memcpy(work.slope[l] + (p * work.rows + r0) * panel<T>, a + (p * work.rows + r0) * panel<T>,
                            static_cast<std::size_t>((r1 - r0) * panel<T>) * sizeof(T));
    }
    if (training && layer.dropout)
        drop_rows(layer, a, slope ? work.slope[l] : nullptr, work.rows, r0, r1, first_sample, scratch);
}

// Z[L] of the samples [row, row + lanes), one in each lane.
template <class T>
inline void output_sums(const Net<T>& net, const Work<T>& work, std::int64_t row, const Scratch<T>& scratch) {
    const Layer<T>& layer = net.layer(net.depth);
    if (layer.by_dots) {
        for (std::int64_t j = 0; j < layer.units; ++j)
            store(scratch.z + j * lanes<T>, dots(layer, work.a[net.depth - 1], work.rows, row, j));
        if (net.gathers(net.depth)) add_to_lanes(net.gathered, work.places, row, scratch.z);
    } else {
        rows_to_lanes(work.a[net.depth], work.rows, layer.units, row, scratch.z);
    }
}
template <class T>
inline void output_product(const Net<T>& net, const Work<T>& work, std::int64_t r0, std::int64_t r1,
                           const T* direct = nullptr) {
    const Layer<T>& layer = net.layer(net.depth);
    const bool begun = net.gathers(net.depth) && !layer.by_dots;
    if (begun) begin_sums(net.gathered, layer.b[0], work.places, work.a[net.depth], work.rows, r0, r1);
    if (direct)
        multiply_rows<T, true>(direct, layer.inputs, layer.inputs, layer.forward_weights(), layer.units, layer.b[0],
                               work.a[net.depth], work.rows, r0, r1, [](auto...) {});
    else if (!layer.by_dots)
        multiply_rows(work.a[net.depth - 1], work.rows, layer.inputs, layer.forward_weights(), layer.units, layer.b[0],
                      work.a[net.depth], work.rows, r0, r1, [](auto...) {}, begun);
}

// Loss terms of rows r0 to r1, those of each group of `lanes` rows added up, and delta[L] times `factor`; r0 is a
// multiple of the lanes.
template <class T>
inline void output_layer(const Net<T>& net, const Work<T>& work, std::int64_t r0, std::int64_t r1, const T* Y,
                           const T* weights, const std::int64_t* order, T factor, double* losses, const Scratch<T>& scratch) {
    const std::int64_t n = net.output.outputs;
    output_product(net, work, r0, r1);
    for (std::int64_t r = r0; r < r1; r += lanes<T>) {
        const int samples = static_cast<int>(least(lanes<T>, r1 - r));
        output_sums(net, work, r, scratch);
        for (int i = 0; i < samples; ++i) {
            const T* y = Y + order[r + i] * n;
            for (std::int64_t j = 0; j < n; ++j) scratch.y[j * lanes<T> + i] = y[j];
        }
        Vec<T> terms = output_group(net.output, scratch.z, scratch.y, scratch.a, scratch.delta, factor);
        if (weights) terms = weigh(weights, order + r, samples, n, terms, scratch.delta);
        if (samples < lanes<T>) {  // lanes without a sample hold what was there before
            const Ints<T> there = lane_numbers<T>() < samples;
            terms = pick<T>(there, terms, Vec<T>{});
            for (std::int64_t j = 0; j < n; ++j)
                store(scratch.delta + j * lanes<T>, pick<T>(there, load(scratch.delta + j * lanes<T>), Vec<T>{}));
        }
        losses[r / lanes<T>] = static_cast<double>(add_lanes<T>(terms));
        clear_lanes(scratch.delta, n, n);
        lanes_to_rows(scratch.delta, work.rows, n, r, work.delta[net.depth]);
    }
}

// delta[l] of rows r0 to r1 from delta[l + 1].
template <class T>
inline void backward_layer(const Net<T>& net, int l, const Work<T>& work, std::int64_t r0, std::int64_t r1,
                           std::int64_t first_sample, const Scratch<T>& scratch) {
    const Layer<T>&layer = net.layer(l), &next = net.layer(l + 1);
    const bool softmax = layer.function == Fn::softmax;
    const auto finish = [&](std::int64_t p, std::int64_t r, int height, int vectors, T* c) __attribute__((always_inline)) {
        const std::int64_t at = (p * work.rows + r) * panel<T>;
        if (!softmax) slope_tile(layer, c, work.a[l] + at, layer.keeps_slope ? work.slope[l] + at : nullptr, height, vectors);
    };
    multiply_rows(work.delta[l + 1], work.rows, next.units, next.backward_weights(), layer.units,
                  static_cast<const T*>(nullptr), work.delta[l], work.rows, r0, r1, finish);
    if (!softmax) return;
    if (layer.dropout) drop_rows(layer, work.delta[l], static_cast<T*>(nullptr), work.rows, r0, r1, first_sample, scratch);
    softmax_backward_rows(layer, layer.dropout ? work.slope[l] : work.a[l], work.delta[l], work.rows, r0, r1, scratch);
}

// One block of dloss/dW: rows [r0, r1) of panel p of the weights as they are kept, summed over `samples` rows of work
// from `s0` on, into `out` (rows of `panel` elements). r0 to r1 lie within one panel of the broadcast operand.
template <class T>
inline void gradient_block(const Layer<T>& layer, const T* a, const T* delta, std::int64_t work_rows, std::int64_t s0,
                           std::int64_t samples, std::int64_t p, std::int64_t r0, std::int64_t r1, Begin begin,
                           T* out) {
    const T* left = layer.units_in_lanes ? a : delta;
    const T* right = layer.units_in_lanes ? delta : a;
    const int vectors = vectors_in<T>(layer.columns, p);
    Tile<T> tile{samples, nullptr, 0, right + (p * work_rows + s0) * panel<T>, nullptr, out, begin};
    for (std::int64_t r = r0; r < r1;) {
        const int height = next_tile(r1 - r);
        tile.a = left + (r / panel<T> * work_rows + s0) * panel<T> + r % panel<T>;
        kernels<T>.outer[height][vectors](tile);
        tile.c += height * panel<T>;
        r += height;
    }
}

// dloss/db of one panel of units: the deltas summed over the samples.
template <class T>
inline void bias_block(const T* delta, std::int64_t work_rows, std::int64_t s0, std::int64_t samples, std::int64_t p,
                       bool accumulate, T* out) {
    Vec<T> low = accumulate ? load(out) : Vec<T>{}, high = accumulate ? load(out + lanes<T>) : Vec<T>{};
    const T* from = delta + (p * work_rows + s0) * panel<T>;
    for (std::int64_t s = 0; s < samples; ++s, from += panel<T>) {
        low += load(from);
        high += load(from + lanes<T>);
    }
    store(out, low);
    store(out + lanes<T>, high);
}

}  // namespace handgrad::HG_ISA
