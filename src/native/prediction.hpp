// The forward pass in use: outputs, and the loss where targets are given, chunk by chunk, each thread its own rows.
#pragma once

#include "memory.hpp"

namespace handgrad::HG_ISA {

// Whether all numbers are finite: x - x is 0 for those, and NaN for the others.
template <class T>
inline bool all_finite(const T* from, std::int64_t count) {
    Vec<T> sums[4] = {};
    std::int64_t i = 0;
    for (; i + 4 * lanes<T> <= count; i += 4 * lanes<T>)
#pragma GCC unroll 4
        for (int n = 0; n < 4; ++n) {
            const Vec<T> v = load_loose(from + i + n * lanes<T>);
            sums[n] += v - v;
        }
    T sum = add_lanes<T>((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < count; ++i) sum += from[i] - from[i];
    return sum == 0;
}

// Lanes of samples become rows of `out`.
template <class T>
HG_INLINE void write_rows(const T* a, std::int64_t outputs, int samples, T* out) {
    if (outputs == 1 && samples == lanes<T>) return store_loose(out, load(a));
    for (int i = 0; i < samples; ++i)
        for (std::int64_t j = 0; j < outputs; ++j) out[i * outputs + j] = a[j * lanes<T> + i];
}

// What the threads of one prediction share.
template <class T>
struct Predicting {
    const Net<T>* net;
    const Work<T>* work;
    bool one_work;       // all threads have stretches of one, instead of each its own
    std::int64_t chunk;  // rows of a work
    const Scratch<T>* scratch;
    const ForwardRequest* request;
    int threads;
    Watch* watch;
    double* losses;  // of each share
    int left, far;
};

// Rows [first, first + count) of the request at rows r0 of the work; their loss terms go to the shares that they lie in.
// The `next` rows after them are asked for on the way.
template <class T>
inline void predict_chunk(Predicting<T>& p, const Work<T>& work, std::int64_t r0, std::int64_t first,
                            std::int64_t count, std::int64_t next, const Scratch<T>& scratch) {
    const Net<T>& net = *p.net;
    const ForwardRequest& request = *p.request;
    const T *X = static_cast<const T*>(request.X), *Y = static_cast<const T*>(request.Y);
    const T* counts = static_cast<const T*>(request.weights);
    T* out = static_cast<T*>(request.out);
    const std::int64_t inputs = net.layer(1).inputs, columns = net.columns(), n = net.output.outputs;
    const T* direct = request.order || net.layer(1).by_dots || net.gathers(1) ? nullptr : X + first * inputs;
    // read here once from far away, the rows are near when the products want them
    if (!request.order && !all_finite(X + first * columns, count * columns)) __atomic_store_n(&p.far, 1, __ATOMIC_RELAXED);
    if (!direct) {
        // gather counts its rows from those of the work
        const std::int64_t* order = request.order ? request.order + first - r0 : nullptr;
        gather(X, inputs, columns, order, first - r0, work.a[0], work.rows, r0, r0 + count);
        if (net.gathers(1)) take_places(net.gathered, X, order, first - r0, work.places, r0, r0 + count);
    }
    Ahead ahead;
    const std::int64_t row_bytes = columns * static_cast<std::int64_t>(sizeof(T));
    if (request.rows * row_bytes > 512 * 1024) {
        const std::int64_t tiles = (count + tile_rows - 1) / tile_rows * panels<T>(net.layer(1).units);
        const T* rows = request.order ? X : X + (first + count) * columns;
        ahead = {reinterpret_cast<const char*>(rows), request.order ? request.order + first + count : nullptr, row_bytes, next,
                 (next + tiles - 1) / most(tiles, 1), 0};
    }
    for (int l = 1; l < net.depth; ++l)
        forward_layer(net, l, work, r0, r0 + count, 0, false, scratch, ahead, l == 1 ? direct : nullptr);
    output_product(net, work, r0, r0 + count, net.depth == 1 ? direct : nullptr);
    const std::int64_t groups = (request.rows + lanes<T> - 1) / lanes<T>;
    for (std::int64_t s = 0; s < count; s += lanes<T>) {
        const int samples = static_cast<int>(least(lanes<T>, count - s));
        output_sums(net, work, r0 + s, scratch);
        if (Y) {
            for (int i = 0; i < samples; ++i) {
                const T* y = Y + (request.order ? request.order[first + s + i] : first + s + i) * n;
                for (std::int64_t j = 0; j < n; ++j) scratch.y[j * lanes<T> + i] = y[j];
            }
            Vec<T> terms = output_group(net.output, scratch.z, scratch.y, scratch.a, scratch.delta, T{1});
            if (counts) terms = weigh(counts, request.order + first + s, samples, n, terms, scratch.delta);
            terms = pick<T>(lane_numbers<T>() < samples, terms, Vec<T>{});
            p.losses[part_of_group(groups, (first + s) / lanes<T>, most_shares)] += static_cast<double>(add_lanes<T>(terms));
        } else {
            output_activation(net.output, scratch.z, scratch.a);
        }
        write_rows(scratch.a, n, samples, out + (first + s) * n);
    }
    if (!all_finite(out + first * n, count * n)) __atomic_store_n(&p.far, 1, __ATOMIC_RELAXED);
}

template <class T>
inline void predict_slice(Predicting<T>& p, int thread) {
    if (thread >= p.threads) return;
    const std::int64_t rows = p.request->rows;
    const std::int64_t lo = first_row<T>(rows, most_shares * thread / p.threads, most_shares);
    const std::int64_t hi = first_row<T>(rows, most_shares * (thread + 1) / p.threads, most_shares);
    std::int64_t r0 = 0, room = p.chunk;
    if (p.one_work) {
        r0 = first_row<T>(p.chunk, thread, p.threads);
        room = least(first_row<T>(p.chunk, thread + 1, p.threads) - r0, 384);
    }
    for (std::int64_t at = lo; at < hi; at += room) {
        if (thread == 0 && p.watch->interrupted()) __atomic_store_n(&p.left, 1, __ATOMIC_RELAXED);
        if (__atomic_load_n(&p.left, __ATOMIC_RELAXED)) return;
        predict_chunk(p, p.work[p.one_work ? 0 : thread], r0, at, least(room, hi - at),
                      least(room, most(hi - at - room, 0)), p.scratch[thread]);
    }
}

// `losses` has room for `most_shares` numbers.
template <class T>
inline ForwardResult predict_rows(const Net<T>& net, const Work<T>* work, bool one_work, std::int64_t chunk,
                                  const Scratch<T>* scratch, const ForwardRequest& request, const LossPlan& loss,
                                  int threads, double* losses, Team& team, Watch& watch) {
    const std::int64_t groups = (one_work ? least(chunk, request.rows) : request.rows) / lanes<T>;
    Predicting<T> p{&net, work, one_work, chunk, scratch, &request, static_cast<int>(most(1, least(least(threads, most_shares), groups))),
                    &watch, losses, 0, 0};
    if (request.Y) std::memset(losses, 0, most_shares * sizeof(double));
    team.run([](void* context, int thread) { predict_slice(*static_cast<Predicting<T>*>(context), thread); }, &p);
    return {request.Y ? data_loss(loss, sum_of(losses, most_shares), request.rows, net.output.outputs) : 0, p.far == 0, p.left != 0};
}

}  // namespace handgrad::HG_ISA
