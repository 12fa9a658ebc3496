// Moving numbers between row-major arrays and panels, and turning small blocks around.
#pragma once

#include <utility>

#include "plan.hpp"
#include "simd.hpp"

namespace handgrad::HG_ISA {

HG_INLINE std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
HG_INLINE std::int64_t most(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

template <class T>
constexpr std::int64_t panels(std::int64_t columns) {
    return (columns + panel<T> - 1) / panel<T>;
}
template <class T>
constexpr std::int64_t padded(std::int64_t columns) {
    return panels<T>(columns) * panel<T>;
}
// The batches of a run, one after another; the last one of an epoch may be smaller, and the next epoch begins anew.
class Batches {
  public:
    explicit Batches(const RunRequest& request)
        : batch_(request.batch), epoch_(request.epoch), ends_(least(request.epoch, request.count)), count_(request.count) {}
    std::int64_t first() const { return first_; }
    std::int64_t rows() const { return least(batch_, ends_ - first_); }
    void advance() {
        first_ += rows();
        if (first_ == ends_) ends_ = least(ends_ + epoch_, count_);
    }

  private:
    std::int64_t first_ = 0, batch_, epoch_, ends_, count_;
};

// Vectors of a panel that hold columns: 1 or 2.
template <class T>
HG_INLINE int vectors_in(std::int64_t columns, std::int64_t p) {
    return columns - p * panel<T> <= lanes<T> ? 1 : 2;
}

namespace detail {
template <class T, std::size_t... I>
HG_INLINE Vec<T> interleave_low(Vec<T> a, Vec<T> b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, (I % 2 ? lanes<T> + I / 2 : I / 2)...);
}
template <class T, std::size_t... I>
HG_INLINE Vec<T> interleave_high(Vec<T> a, Vec<T> b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, ((I % 2 ? lanes<T> + I / 2 : I / 2) + lanes<T> / 2)...);
}
}  // namespace detail

// Turns a square of vectors around in registers: log2(lanes) rounds of perfect shuffles.
template <class T>
HG_INLINE void transpose(Vec<T> (&v)[lanes<T>]) {
    constexpr int n = lanes<T>;
    using Order = std::make_index_sequence<n>;
    Vec<T> w[n];
#pragma GCC unroll 8
    for (int width = 1; width < n; width *= 2) {
#pragma GCC unroll 16
        for (int i = 0; i < n / 2; ++i) {
            w[2 * i] = detail::interleave_low<T>(v[i], v[i + n / 2], Order{});
            w[2 * i + 1] = detail::interleave_high<T>(v[i], v[i + n / 2], Order{});
        }
#pragma GCC unroll 16
        for (int i = 0; i < n; ++i) v[i] = w[i];
    }
}

// to[c][r] = from[r][c] for a square of lanes x lanes, the rows `from_step` and `to_step` elements apart.
template <class T>
HG_INLINE void turn_square(const T* from, std::int64_t from_step, T* to, std::int64_t to_step) {
    Vec<T> v[lanes<T>];
#pragma GCC unroll 16
    for (int i = 0; i < lanes<T>; ++i) v[i] = load(from + i * from_step);
    transpose<T>(v);
#pragma GCC unroll 16
    for (int i = 0; i < lanes<T>; ++i) store(to + i * to_step, v[i]);
}

// Rows [row, row + lanes) of a panel matrix as columns: to[c * lanes + i] = M[row + i][c], for all columns.
template <class T>
inline void rows_to_lanes(const T* matrix, std::int64_t rows, std::int64_t columns, std::int64_t row, T* to) {
    for (std::int64_t c = 0; c < columns; c += lanes<T>) {
        const T* from = matrix + c / panel<T> * rows * panel<T> + row * panel<T> + c % panel<T>;
        turn_square<T>(from, panel<T>, to + c * lanes<T>, lanes<T>);
    }
}
// The way back; `from` holds lanes columns more than asked for at most.
template <class T>
inline void lanes_to_rows(const T* from, std::int64_t rows, std::int64_t columns, std::int64_t row, T* matrix) {
    for (std::int64_t c = 0; c < columns; c += lanes<T>) {
        T* to = matrix + c / panel<T> * rows * panel<T> + row * panel<T> + c % panel<T>;
        turn_square<T>(from + c * lanes<T>, lanes<T>, to, panel<T>);
    }
}

// Rows taken from a row-major array into panels, their first `columns`; order null: consecutive rows from `first`.
template <class T>
inline void gather(const T* X, std::int64_t columns, std::int64_t stride, const std::int64_t* order, std::int64_t first,
                   T* to, std::int64_t to_rows, std::int64_t r0, std::int64_t r1) {
    for (std::int64_t r = r0; r < r1; ++r) {
        const T* from = X + (order ? order[r] : first + r) * stride;
        for (std::int64_t c = 0; c < columns; c += panel<T>) {
            T* row = to + (c / panel<T> * to_rows + r) * panel<T>;
            if (columns - c >= panel<T>) {
                store(row, load_loose(from + c));
                store(row + lanes<T>, load_loose(from + c + lanes<T>));
                continue;
            }
            std::int64_t done = 0;
            if (columns - c >= lanes<T>) {  // two vectors that overlap
                store(row, load_loose(from + c));
                store_loose(row + (columns - c - lanes<T>), load_loose(from + columns - lanes<T>));
                done = columns - c;
            }
            for (; done < columns - c; ++done) row[done] = from[c + done];
        }
    }
}

}  // namespace handgrad::HG_ISA
