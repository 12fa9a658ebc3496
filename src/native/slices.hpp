// Which rows are added up together: sums that do not depend on who computes them.
//
// A batch is cut into slices, as many as its size asks for and never as many as there are threads. Each slice is
// added up in the order of its rows, and the slices by the binary tree over them: ((0 + 1) + (2 + 3)) + ... A thread
// has slices that follow each other, adds up every part of the tree that lies within them, and leaves the rest to
// the update. So a step has the same bits on 1 thread and on 64.
#pragma once

#include "layout.hpp"

namespace handgrad::HG_ISA {

constexpr int most_slices = 64;
constexpr int most_shares = 240;  // of the rows of a prediction, whose losses are added up apart

// Slices of a batch, a power of two: at most one for a million operations of the step, and for 48 rows.
inline int slices_of(std::int64_t rows, std::int64_t parameters) {
    const double operations = 6.0 * static_cast<double>(rows) * static_cast<double>(parameters);
    const double of_rows = static_cast<double>(rows / 48), wish = operations / 1e6 < of_rows ? operations / 1e6 : of_rows;
    // gradients of a large net are kept for few of them
    const int most_of_these = parameters > 1'000'000 ? 16 : most_slices;
    int slices = 1;
    while (2 * slices <= most_of_these && 2 * slices <= wish) slices *= 2;
    return slices;
}

// The first row of part `i` of `parts`, which are cut between groups of `lanes` rows.
template <class T>
HG_INLINE std::int64_t first_row(std::int64_t rows, std::int64_t i, std::int64_t parts) {
    const std::int64_t groups = (rows + lanes<T> - 1) / lanes<T>;
    return least(rows, groups * i / parts * lanes<T>);
}
// The part in which a group lies.
HG_INLINE std::int64_t part_of_group(std::int64_t groups, std::int64_t group, std::int64_t parts) {
    return ((group + 1) * parts - 1) / groups;
}

// The largest part of the tree that begins with slice `at` and ends before `end`, in slices.
inline int tree_part(int at, int end) {
    int size = 1;
    while (at % (2 * size) == 0 && at + 2 * size <= end) size *= 2;
    return size;
}
// Sums that a thread holds which began with slice `first` and has done those before `at`.
inline int sums_held(int first, int at) {
    int count = 0;
    for (; first < at; first += tree_part(first, at)) ++count;
    return count;
}
// Of these, those that slice `at` completes: each is added to it, the last one held first.
inline int sums_completed(int first, int at) {
    int count = 0;
    for (int size = 2; (at + 1) % size == 0 && at + 1 - size >= first; size *= 2) ++count;
    return count;
}
// Sums that a thread holds at once, at most, whatever the batch, with one that is being made.
inline int most_sums_held(int slices, int threads) {
    int most_held = 1;
    for (int s = 1; s <= slices; s *= 2)
        for (int t = 0; t < threads; ++t)
            for (int at = s * t / threads; at < s * (t + 1) / threads; ++at) {
                const int held = sums_held(s * t / threads, at) + 1;
                if (held > most_held) most_held = held;
            }
    return most_held;
}

// Part of the tree that a thread left: which of the sums kept, and how many before it are then added to it.
struct Leaf {
    int copy, completes;
};
// All parts that `threads` threads left, in order; returns how many there are. Thread t keeps `held` sums from copy
// t * held on.
inline int list_leaves(int slices, int threads, int held, Leaf (&leaf)[most_slices]) {
    int count = 0;
    for (int t = 0; t < threads; ++t) {
        const int end = slices * (t + 1) / threads;
        int copy = t * held;
        for (int at = slices * t / threads; at < end;) {
            const int size = tree_part(at, end);
            at += size;
            leaf[count++] = {copy++, __builtin_ctz(static_cast<unsigned>(at / size))};
        }
    }
    return count;
}

// The sum of `leaves` vectors; `at(copy)` is the address of one.
template <class T, class At>
HG_INLINE Vec<T> sum_of_leaves(const Leaf* leaf, int leaves, At at) {
    if (leaves == 1) return load(at(leaf[0].copy));
    if (leaves == 2) return load(at(leaf[0].copy)) + load(at(leaf[1].copy));
    Vec<T> open[8];  // one for each level of the tree
    int top = 0;
    for (int i = 0; i < leaves; ++i) {
        Vec<T> sum = load(at(leaf[i].copy));
        for (int c = 0; c < leaf[i].completes; ++c) sum = open[--top] + sum;
        open[top++] = sum;
    }
    return open[0];
}

// The sum of some doubles, eight at a time: a fixed order, and short chains of additions.
inline double sum_of(const double* from, std::int64_t count) {
    double part[8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (int k = 0; k < 8; ++k) part[k] += from[i + k];
    for (int k = 0; k < count - i; ++k) part[k] += from[i + k];
    return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

}  // namespace handgrad::HG_ISA
