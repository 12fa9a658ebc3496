// The output layer: activation, loss and delta of a group of samples, one sample in each lane.
//
// With the samples in the lanes a single output fills its vectors, and softmax is a loop over the outputs.
#pragma once

#include "activations.hpp"
#include "layout.hpp"

namespace handgrad::HG_ISA {

template <class T>
struct OutputRule {
    LossKind loss;
    Fn function;
    T alpha, threshold;
    std::int64_t outputs;
};

// The loss of some rows from the sum of their terms.
HG_INLINE double data_loss(const LossPlan& loss, double sum, std::int64_t rows, std::int64_t outputs) {
    return sum * loss.scale / (loss.mean_outputs ? static_cast<double>(outputs) : 1.0) /
           (loss.mean_samples ? static_cast<double>(rows) : 1.0);
}

// a = softmax(z) over `count` rows of lanes; returns ln sum exp(z), and the maximum that was taken out.
template <class T>
inline void softmax_lanes(const T* z, T* a, std::int64_t count, Vec<T>& top, Vec<T>& sum) {
    top = load(z);
    for (std::int64_t j = 1; j < count; ++j) top = larger<T>(top, load(z + j * lanes<T>));
    sum = Vec<T>{};
    for (std::int64_t j = 0; j < count; ++j) {
        const Vec<T> e = exp_negative<T>(load(z + j * lanes<T>) - top);
        store(a + j * lanes<T>, e);
        sum += e;
    }
    const Vec<T> part = all<T>(1) / sum;
    for (std::int64_t j = 0; j < count; ++j) store(a + j * lanes<T>, load(a + j * lanes<T>) * part);
}

// delta = a (da - sum_k da_k a_k), in place of da.
template <class T>
inline void softmax_backward_lanes(const T* a, T* delta, std::int64_t count) {
    Vec<T> sum{};
    for (std::int64_t j = 0; j < count; ++j) sum += load(a + j * lanes<T>) * load(delta + j * lanes<T>);
    for (std::int64_t j = 0; j < count; ++j)
        store(delta + j * lanes<T>, load(a + j * lanes<T>) * (load(delta + j * lanes<T>) - sum));
}

template <class T>
inline void output_activation(const OutputRule<T>& rule, const T* z, T* a) {
    Vec<T> top, sum;
    if (rule.function == Fn::softmax) return softmax_lanes(z, a, rule.outputs, top, sum);
    for (std::int64_t j = 0; j < rule.outputs; ++j)
        store(a + j * lanes<T>, activate<T, false>(rule.function, load(z + j * lanes<T>), rule.alpha, top));
}

// y ln a with 0 ln 0 = 0.
template <class T>
HG_INLINE Vec<T> y_log(Vec<T> y, Vec<T> a) {
    return pick<T>(y == 0, Vec<T>{}, y * log_of<T>(pick<T>(y == 0, all<T>(1), a)));
}

// dloss/da of one output, without scale, and its term of the loss.
template <class T>
HG_INLINE Vec<T> loss_term(const OutputRule<T>& rule, Vec<T> a, Vec<T> y, Vec<T>& slope) {
    const Vec<T> one = all<T>(1), d = a - y;
    switch (rule.loss) {
        case LossKind::squared_error:
            slope = 2 * d;
            return d * d;
        case LossKind::binary_cross_entropy:
            // (a - y) / (a (1 - a)); 1 / (1 - a) for y = 0 and -1 / a for y = 1, also where a = y and this is 0 / 0
            slope = pick<T>(y == 0, one, pick<T>(y == 1, -one, d)) /
                    pick<T>(y == 0, one - a, pick<T>(y == 1, a, a * (one - a)));
            return -(y_log<T>(y, a) + y_log<T>(one - y, one - a));
        case LossKind::cross_entropy:
            slope = pick<T>(y == 0, Vec<T>{}, -y / a);  // 0 of a class that is not the true one, also where a = 0
            return -y_log<T>(y, a);
        case LossKind::absolute_error:
            slope = pick<T>(d > 0, one, pick<T>(d < 0, -one, d));
            return absolute<T>(d);
        case LossKind::hinge: {
            const Vec<T> margin = one - y * a;
            slope = pick<T>(margin > 0, -y, Vec<T>{});
            return larger<T>(Vec<T>{}, margin);
        }
        case LossKind::poisson:
            slope = one - pick<T>(y == 0, Vec<T>{}, y / a);
            return a - y_log<T>(y, a);
        default: {
            const Vec<T> limit = all<T>(rule.threshold), distance = absolute<T>(d);
            slope = larger<T>(-limit, smaller<T>(limit, d));
            return pick<T>(distance <= limit, distance * distance * static_cast<T>(0.5),
                           limit * (distance - limit * static_cast<T>(0.5)));
        }
    }
}

// From z and y (outputs x lanes) to delta, times `factor`; returns each lane's sum of loss terms.
template <class T>
inline Vec<T> output_group(const OutputRule<T>& rule, const T* z, const T* y, T* a, T* delta, T factor) {
    const std::int64_t n = rule.outputs;
    const Vec<T> one = all<T>(1);
    Vec<T> loss{};
    if (rule.function == Fn::softmax) {
        Vec<T> top, sum;
        softmax_lanes(z, a, n, top, sum);
        if (rule.loss == LossKind::cross_entropy) {
            const Vec<T> log_sum = log_of<T>(sum);
            Vec<T> targets{};
            for (std::int64_t j = 0; j < n; ++j) {
                const Vec<T> t = load(y + j * lanes<T>);
                targets += t;
                loss -= t * ((load(z + j * lanes<T>) - top) - log_sum);
            }
            for (std::int64_t j = 0; j < n; ++j)
                store(delta + j * lanes<T>,
                      (load(a + j * lanes<T>) * targets - load(y + j * lanes<T>)) * factor);
            return loss;
        }
        for (std::int64_t j = 0; j < n; ++j) {
            Vec<T> slope;
            loss += loss_term<T>(rule, load(a + j * lanes<T>), load(y + j * lanes<T>), slope);
            store(delta + j * lanes<T>, slope * factor);
        }
        softmax_backward_lanes(a, delta, n);
        return loss;
    }
    if (rule.function == Fn::sigmoid &&
        (rule.loss == LossKind::binary_cross_entropy || rule.loss == LossKind::cross_entropy)) {
        const bool binary = rule.loss == LossKind::binary_cross_entropy;
        for (std::int64_t j = 0; j < n; ++j) {
            const Vec<T> zj = load(z + j * lanes<T>), t = load(y + j * lanes<T>);
            const Vec<T> e = exp_negative<T>(-absolute<T>(zj));
            const Vec<T> aj = pick<T>(zj >= 0, one, e) / (e + one), tail = log1p_small<T>(e);
            loss += binary ? (larger<T>(Vec<T>{}, zj) - zj * t) + tail
                           : t * (larger<T>(Vec<T>{}, -zj) + tail);
            store(a + j * lanes<T>, aj);
            store(delta + j * lanes<T>, (binary ? aj - t : t * (aj - one)) * factor);
        }
        return loss;
    }
    if (rule.function == Fn::exponential && rule.loss == LossKind::poisson) {
        for (std::int64_t j = 0; j < n; ++j) {
            const Vec<T> zj = load(z + j * lanes<T>), t = load(y + j * lanes<T>), aj = exp_of<T>(zj);
            loss += aj - t * zj;
            store(a + j * lanes<T>, aj);
            store(delta + j * lanes<T>, (aj - t) * factor);
        }
        return loss;
    }
    for (std::int64_t j = 0; j < n; ++j) {
        Vec<T> slope, outer;
        const Vec<T> aj = activate<T, true>(rule.function, load(z + j * lanes<T>), rule.alpha, slope);
        loss += loss_term<T>(rule, aj, load(y + j * lanes<T>), outer);
        store(a + j * lanes<T>, aj);
        store(delta + j * lanes<T>, outer * slope * factor);
    }
    return loss;
}

// The loss terms and the deltas (outputs x lanes) of some samples times the weights of their rows.
template <class T>
inline Vec<T> weigh(const T* weights, const std::int64_t* order, int samples, std::int64_t outputs, Vec<T> terms, T* delta) {
    alignas(64) T weight[lanes<T>] = {};
    for (int i = 0; i < samples; ++i) weight[i] = weights[order[i]];
    const Vec<T> each = load(weight);
    for (std::int64_t j = 0; j < outputs; ++j) store(delta + j * lanes<T>, load(delta + j * lanes<T>) * each);
    return terms * each;
}

}  // namespace handgrad::HG_ISA
