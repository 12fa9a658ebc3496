// Inputs that are categories (nn/gathering.py): rows of a table of weights instead of a product with 0 and 1.
//
// The table holds a row of `units` weights for each category of each column. A step knows of each sample which rows it
// took; the gradient of a row is the sum of the deltas of its samples, in their order, whatever the number of threads.
// Every row is updated in every step, as if its inputs were one-hot.
#pragma once

#include "optimizers.hpp"
#include "slices.hpp"

namespace handgrad::HG_ISA {

template <class T>
struct Gathered {
    int columns = 0;  // of category numbers, behind the numbers of X
    std::int64_t numbers = 0, units = 0, rows = 0;
    std::int64_t *first = nullptr, *counts = nullptr;  // of each column: its first row of the table, and how many
    T* w[4] = {};                                      // the table, then the optimizer's memory
    T* kept = nullptr;                                 // all gradients, where they are clipped by norm
    std::int32_t *head = nullptr, *next = nullptr;     // the samples of each row of the table, as lists

    std::int64_t stride() const { return numbers + columns; }  // of X
    std::int64_t width() const { return padded<T>(units); }
    T* row(T* table, std::int64_t k) const { return table + k * width(); }
};

// The rows of the table that samples r0 to r1 take, -1 for none; `order` null: they follow each other from `from`.
template <class T>
inline void take_places(const Gathered<T>& g, const T* X, const std::int64_t* order, std::int64_t from,
                        std::int32_t* places, std::int64_t r0, std::int64_t r1) {
    for (std::int64_t r = r0; r < r1; ++r) {
        const T* codes = X + (order ? order[r] : from + r) * g.stride() + g.numbers;
        for (int j = 0; j < g.columns; ++j) {
            const bool there = codes[j] >= 0 && codes[j] < static_cast<T>(g.counts[j]);
            places[r * g.columns + j] = there ? static_cast<std::int32_t>(g.first[j] + static_cast<std::int64_t>(codes[j])) : -1;
        }
    }
}

// Z of samples r0 to r1 as far as bias and categories make it; the product with the numbers is added to it.
template <class T>
inline void begin_sums(const Gathered<T>& g, const T* bias, const std::int32_t* places, T* z, std::int64_t z_rows,
                       std::int64_t r0, std::int64_t r1) {
    for (std::int64_t r = r0; r < r1; ++r)
        for (std::int64_t c = 0; c < g.width(); c += lanes<T>) {
            Vec<T> sum = load(bias + c);
            for (int j = 0; j < g.columns; ++j) {
                const std::int32_t k = places[r * g.columns + j];
                if (k >= 0) sum += load(g.row(g.w[0], k) + c);
            }
            store(z + (c / panel<T> * z_rows + r) * panel<T> + c % panel<T>, sum);
        }
}

// The same added to Z of the samples from r on, one in each lane (units x lanes).
template <class T>
inline void add_to_lanes(const Gathered<T>& g, const std::int32_t* places, std::int64_t r, T* z) {
    for (int i = 0; i < lanes<T>; ++i)
        for (int j = 0; j < g.columns; ++j) {
            const std::int32_t k = places[(r + i) * g.columns + j];
            if (k < 0) continue;
            const T* row = g.row(g.w[0], k);
            for (std::int64_t unit = 0; unit < g.units; ++unit) z[unit * lanes<T> + i] += row[unit];
        }
}

constexpr std::int64_t table_parts = 64;  // of the table, whose squares are added up apart: by whom does not matter

// |W|^2 and |W|_1 of each part.
struct TableSums {
    double *squares, *absolutes;
};
template <class T>
HG_INLINE void keep_row(const Gathered<T>& g, std::int64_t k, const Sums<T>& sums, TableSums of) {
    const std::int64_t part = part_of_group(g.rows, k, table_parts);
    of.squares[part] += static_cast<double>(add_lanes<T>(sums.squares));
    of.absolutes[part] += static_cast<double>(add_lanes<T>(sums.absolutes));
}

// Rows of the table that a thread updates: whole parts, the sums of which begin anew.
template <class T>
HG_INLINE void rows_of_table(const Gathered<T>& g, int thread, int threads, std::int64_t& lo, std::int64_t& hi, TableSums of) {
    const std::int64_t first = table_parts * thread / threads, end = table_parts * (thread + 1) / threads;
    for (std::int64_t part = first; part < end; ++part) {
        of.squares[part] = 0;
        if (of.absolutes) of.absolutes[part] = 0;
    }
    lo = g.rows * first / table_parts;
    hi = g.rows * end / table_parts;
}

// Lists the samples of the rows lo to hi, each list in the order of the samples.
template <class T>
inline void list_samples(const Gathered<T>& g, const std::int32_t* places, std::int64_t samples, std::int64_t lo,
                         std::int64_t hi) {
    for (std::int64_t k = lo; k < hi; ++k) g.head[k] = -1;
    for (std::int64_t at = samples * g.columns - 1; at >= 0; --at) {
        const std::int32_t k = places[at];
        if (k < lo || k >= hi) continue;
        g.next[at] = g.head[k];
        g.head[k] = static_cast<std::int32_t>(at);
    }
}

// The gradient of row k in `out` (a padded row), from the listed samples.
template <class T>
inline void sum_of_samples(const Gathered<T>& g, const T* delta, std::int64_t delta_rows, std::int64_t k, T* out) {
    for (std::int64_t c = 0; c < g.width(); c += lanes<T>) {
        Vec<T> sum{};
        for (std::int32_t at = g.head[k]; at >= 0; at = g.next[at])
            sum += load(delta + (c / panel<T> * delta_rows + at / g.columns) * panel<T> + c % panel<T>);
        store(out + c, sum);
    }
    for (std::int64_t c = g.units; c < g.width(); ++c) out[c] = 0;
}

template <class T>
inline Stretch<T> stretch_of_row(const Gathered<T>& g, std::int64_t k, int slots, const T* gradient) {
    Stretch<T> x{};
    x.g = gradient;
    x.rows = g.width() / panel<T>;
    x.vectors = 2;
    x.p = g.row(g.w[0], k);
    for (int s = 0; s < slots; ++s) x.s[s] = g.row(g.w[s + 1], k);
    return x;
}

template <class T>
inline void update_row(const Gathered<T>& g, std::int64_t k, int slots, const StepRule<T>& rule, const T* gradient,
                       TableSums of) {
    Sums<T> sums;
    update(rule, stretch_of_row(g, k, slots, gradient), sums);
    if (rule.penalized) keep_row(g, k, sums, of);
    for (std::int64_t c = g.units; c < g.width(); ++c) g.row(g.w[0], k)[c] = 0;  // an epsilon of 0 makes 0 / 0 there
}

// The rows of this thread: their gradients and their update at once. `room`: a padded row.
template <class T>
inline void update_table(const Gathered<T>& g, const std::int32_t* places, const T* delta, std::int64_t delta_rows,
                         std::int64_t samples, int thread, int threads, int slots, const StepRule<T>& rule, T* room,
                         TableSums of) {
    std::int64_t lo, hi;
    rows_of_table(g, thread, threads, lo, hi, of);
    list_samples(g, places, samples, lo, hi);
    const bool still = rule.rule == Rule::sgd && !rule.penalized;  // where there is no gradient
    for (std::int64_t k = lo; k < hi; ++k) {
        if (still && g.head[k] < 0) continue;
        sum_of_samples(g, delta, delta_rows, k, room);
        update_row(g, k, slots, rule, room, of);
    }
}

// Clipping by norm: the gradients first, penalties included; `squares`: their squares, of each part.
template <class T>
inline void prepare_table(const Gathered<T>& g, const std::int32_t* places, const T* delta, std::int64_t delta_rows,
                            std::int64_t samples, int thread, int threads, const StepRule<T>& rule, double* squares) {
    std::int64_t lo, hi;
    rows_of_table(g, thread, threads, lo, hi, {squares, nullptr});
    list_samples(g, places, samples, lo, hi);
    for (std::int64_t k = lo; k < hi; ++k) {
        Sums<T> sums;
        sum_of_samples(g, delta, delta_rows, k, g.row(g.kept, k));
        prepare_norm(rule, g.row(g.w[0], k), g.row(g.kept, k), g.width() / panel<T>, 2, sums);
        squares[part_of_group(g.rows, k, table_parts)] += static_cast<double>(add_lanes<T>(sums.squares));
    }
}
template <class T>
inline void update_prepared_table(const Gathered<T>& g, int thread, int threads, int slots, const StepRule<T>& rule,
                                  TableSums of) {
    std::int64_t lo, hi;
    rows_of_table(g, thread, threads, lo, hi, of);
    for (std::int64_t k = lo; k < hi; ++k) update_row(g, k, slots, rule, g.row(g.kept, k), of);
}

// The sums of the table as it stands, as updates keep them.
template <class T>
inline void sums_of_table(const Gathered<T>& g, TableSums of) {
    std::int64_t lo, hi;
    rows_of_table(g, 0, 1, lo, hi, of);
    for (std::int64_t k = lo; k < hi; ++k) {
        Sums<T> sums;
        for (std::int64_t c = 0; c < g.width(); c += lanes<T>) {
            const Vec<T> w = load(g.row(g.w[0], k) + c);
            sums.squares += w * w;
            sums.absolutes += absolute<T>(w);
        }
        keep_row(g, k, sums, of);
    }
}

}  // namespace handgrad::HG_ISA
