// Training of nets that fit the first-level cache whole: one thread, no panels, a vector of samples in the lanes.
//
// All weights lie row after row in one short array, all biases behind them, so that the optimizer passes over a
// handful of vectors; the products are plain loops over (unit, input).
#pragma once

#include "fixed.hpp"
#include "prediction.hpp"
#include "tiny_updates.hpp"

namespace handgrad::HG_ISA {

template <int N, class V>
HG_INLINE auto add_first(V v) {
    if constexpr (N == 1) return v[0];
    else if constexpr (N == 2) return v[0] + v[1];
    else if constexpr (N == 4) {
        const auto low = __builtin_shufflevector(v, v, 0, 1), high = __builtin_shufflevector(v, v, 2, 3);
        return add_first<2>(low + high);
    } else if constexpr (N == 8) {
        const auto low = __builtin_shufflevector(v, v, 0, 1, 2, 3), high = __builtin_shufflevector(v, v, 4, 5, 6, 7);
        return add_first<4>(low + high);
    } else {
        const auto low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
        const auto high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
        return add_first<8>(low + high);
    }
}

template <class T>
class TinyCore final : public Core, private TinyUpdates<T> {
    using Updates = TinyUpdates<T>;
    using typename Updates::Layer;
    using Updates::absolutes_, Updates::factor_, Updates::g_, Updates::lay_out, Updates::layers_, Updates::mask_;
    using Updates::output_, Updates::p_, Updates::plan_, Updates::squares_, Updates::update_all, Updates::weights_;
    using Updates::x_, Updates::y_;

  public:
    // Up to here the loops over single weights are faster than tiles (measured).
    static bool suits(const Plan& plan) {
        std::int64_t weights = 0;
        for (int l = 0; l < plan.depth; ++l) weights += plan.layers[l].units * (plan.layers[l].inputs + 1);
        if (plan.gathered) return false;
        return plan.path == Path::tiny ||
               (plan.path == Path::automatic && weights <= 128 && (plan.predict_only || plan.largest_batch <= lanes<T>));
    }

    explicit TinyCore(const Plan& plan) : Updates(plan), fixed_(fixed_run<T>(plan)) {}

    std::int64_t bytes() const override {
        TinyCore<T> copy(plan_);
        return copy.lay_out(nullptr);
    }
    void settle(void* arena) override { lay_out(arena); }
    void touch(Team&) override {}
    const char* path() const override { return "tiny"; }

    void put(int l, int slot, const void* W, const void* b) override {
        const Layer& layer = layers_[l];
        std::memcpy(p_[slot] + layer.w, W, static_cast<std::size_t>(layer.inputs * layer.units) * sizeof(T));
        std::memcpy(p_[slot] + layer.b, b, static_cast<std::size_t>(layer.units) * sizeof(T));
    }
    void get(int l, int slot, void* W, void* b) const override {
        const Layer& layer = layers_[l];
        std::memcpy(W, p_[slot] + layer.w, static_cast<std::size_t>(layer.inputs * layer.units) * sizeof(T));
        std::memcpy(b, p_[slot] + layer.b, static_cast<std::size_t>(layer.units) * sizeof(T));
    }
    void put_rows(int, const void*) override {}
    void get_rows(int, void*) const override {}
    void ready() override {
        squares_ = absolutes_ = 0;
        for (std::int64_t i = 0; i < weights_; ++i) {
            const double w = static_cast<double>(p_[0][i]);
            squares_ += w * w;
            absolutes_ += w < 0 ? -w : w;
        }
    }
    void data(const void* X, const void* Y, const void* weights) override {
        X_ = static_cast<const T*>(X);
        Y_ = static_cast<const T*>(Y);
        weights_of_rows_ = static_cast<const T*>(weights);
    }
    ForwardResult predict(const ForwardRequest& request, Team&, Watch& watch) override {
        const T *X = static_cast<const T*>(request.X), *Y = static_cast<const T*>(request.Y);
        const T* counts = static_cast<const T*>(request.weights);
        T* out = static_cast<T*>(request.out);
        const std::int64_t inputs = layers_[1].inputs, n = output_.outputs;
        const Layer& last = layers_[plan_.depth];
        ForwardResult result{0, true, false};
        double sum = 0;
        for (std::int64_t s = 0; s < request.rows; s += lanes<T>) {
            if (s % (64 * lanes<T>) == 0 && watch.interrupted()) return {0, false, true};
            const int used = static_cast<int>(least(lanes<T>, request.rows - s));
            if (!request.order && (s + lanes<T>) * inputs + lanes<T> <= request.rows * inputs) {
                columns_of(X + s * inputs, inputs);
            } else {
                for (int i = 0; i < used; ++i) {
                    const T* x = X + (request.order ? request.order[s + i] : s + i) * inputs;
                    for (std::int64_t k = 0; k < inputs; ++k) x_[k * lanes<T> + i] = x[k];
                }
            }
            to_output_sums<false>(0, 0);
            if (Y) {
                for (int i = 0; i < used; ++i)
                    for (std::int64_t j = 0; j < n; ++j)
                        y_[j * lanes<T> + i] = Y[(request.order ? request.order[s + i] : s + i) * n + j];
                Vec<T> terms = output_group(output_, last.z, y_, last.a, last.delta, T{1});
                if (counts) terms = weigh(counts, request.order + s, used, n, terms, last.delta);
                sum += static_cast<double>(add_lanes<T>(pick<T>(lane_numbers<T>() < used, terms, Vec<T>{})));
            } else {
                output_activation(output_, last.z, last.a);
            }
            write_rows(last.a, n, used, out + s * n);
        }
        result.finite = (request.order || all_finite(X, request.rows * inputs)) && all_finite(out, request.rows * n);
        if (Y) result.loss = data_loss(plan_.loss, sum, request.rows, n);
        return result;
    }

    RunResult run(const RunRequest& request, Team&, Watch& watch) override {
        // few samples need few lanes added
        if (request.batch == 1) {
            if (fixed_ != nullptr && weights_of_rows_ == nullptr) return run_of_fixed_size(request, watch);
            return steps<1>(request, watch);
        }
        if (request.batch <= 4 && lanes<T> > 4) return steps<(lanes<T> > 4 ? 4 : 1)>(request, watch);
        return steps<lanes<T>>(request, watch);
    }

  private:
    RunResult run_of_fixed_size(const RunRequest& request, Watch& watch) const {
        const Layer& hidden = layers_[1];
        return fixed_({hidden.inputs, hidden.units, hidden.function, output_, factor_, {p_[0], p_[1], p_[2]}, X_, Y_}, plan_,
                      request, watch);
    }

    template <int USED>
    RunResult steps(const RunRequest& request, Watch& watch) {
        const StepRule<T> fixed = make_step_rule<T>(plan_);
        Powers powers(plan_.optimizer);
        Batches batches(request);
        for (std::int64_t k = 0; k < request.steps; ++k) {
            if ((k & 63) == 63) {  // a look at the clock costs as much as half a step
                if (watch.interrupted()) return {k, false, true};
                if (watch.due() && watch.stop()) return {k, false, false};
            }
            const std::int64_t first = batches.first(), m = batches.rows();
            batches.advance();
            const std::int64_t t = request.first_step + k;
            const double share = plan_.loss.mean_samples ? 1.0 / static_cast<double>(m) : 1.0;
            const double penalty_weight = l2_coefficient(plan_, m);
            double loss = 0;
            for (std::int64_t s = 0; s < m; s += lanes<T>) {
                const int used = static_cast<int>(least(lanes<T>, m - s));
                gather<USED>(request.order + first + s, used);
                loss += forward<USED>(request.order + first + s, used, static_cast<T>(factor_ * share), s, t);
                backward<USED>(s > 0, s, t);
            }
            loss = loss * factor_ * share;
            if (plan_.l1 > 0 || plan_.l2 > 0) loss += penalty_weight * squares_ + plan_.l1 * absolutes_;
            request.losses[k] = loss;
            if (!(loss - loss == 0)) return {k + 1, true, false};
            StepRule<T> rule = fixed;
            powers.set(rule, t, request.rates[k]);
            rule.l2 = static_cast<T>(2 * penalty_weight);
            update_all(rule);
        }
        return {request.steps, false, false};
    }

    template <int USED>
    HG_INLINE void gather(const std::int64_t* order, int used) {
        const std::int64_t inputs = layers_[1].inputs, outputs = output_.outputs;
        if constexpr (USED == 1) {
            const T *x = X_ + *order * inputs, *y = Y_ + *order * outputs;
            for (std::int64_t k = 0; k < inputs; ++k) store(x_ + k * lanes<T>, all<T>(x[k]));
            for (std::int64_t j = 0; j < outputs; ++j) store(y_ + j * lanes<T>, all<T>(y[j]));
        } else {
            for (int i = 0; i < used; ++i) {
                const T *x = X_ + order[i] * inputs, *y = Y_ + order[i] * outputs;
                for (std::int64_t k = 0; k < inputs; ++k) x_[k * lanes<T> + i] = x[k];
                for (std::int64_t j = 0; j < outputs; ++j) y_[j * lanes<T> + i] = y[j];
            }
        }
    }

    // x_ from rows that follow each other, `lanes` of them; reads `lanes` elements from the last column on.
    HG_INLINE void columns_of(const T* x, std::int64_t inputs) {
        for (std::int64_t k = 0; k < inputs; k += lanes<T>) {
            Vec<T> v[lanes<T>];
#pragma GCC unroll 16
            for (int i = 0; i < lanes<T>; ++i) v[i] = load_loose(x + i * inputs + k);
            transpose<T>(v);
#pragma GCC unroll 16
            for (int c = 0; c < lanes<T>; ++c)
                if (k + c < inputs) store(x_ + (k + c) * lanes<T>, v[c]);
        }
    }

    // a[l] for the hidden layers, z[L].
    template <bool TRAINING>
    HG_INLINE void to_output_sums(std::int64_t first_sample, std::int64_t t) {
        const T* in = x_;
        const int L = plan_.depth;
        for (int l = 1; l <= L; ++l) {
            Layer& layer = layers_[l];
            const T *w = p_[0] + layer.w, *b = p_[0] + layer.b;
            for (std::int64_t j = 0; j < layer.units; ++j, w += layer.inputs) {
                Vec<T> z = all<T>(b[j]);
                for (std::int64_t k = 0; k < layer.inputs; ++k) z += w[k] * load(in + k * lanes<T>);
                if (l < L) {
                    Vec<T> slope;
                    store(layer.a + j * lanes<T>, activate<T, TRAINING>(layer.function, z, layer.alpha, slope));
                    if constexpr (TRAINING) store(layer.slope + j * lanes<T>, slope);
                } else {
                    store(layer.z + j * lanes<T>, z);
                }
            }
            if (l == L) break;
            if (layer.function == Fn::softmax) {
                Vec<T> top, sum;
                std::memcpy(layer.z, layer.a, static_cast<std::size_t>(layer.units * lanes<T>) * sizeof(T));
                softmax_lanes(layer.z, layer.a, layer.units, top, sum);
                std::memcpy(layer.z, layer.a, static_cast<std::size_t>(layer.units * lanes<T>) * sizeof(T));
            }
            if (TRAINING && layer.dropout) {
                drop(layer, layer.a, first_sample, t);
                drop(layer, layer.slope, first_sample, t);
            }
            in = layer.a;
        }
    }

    // a[l] for all layers, delta[L]; returns the sum of the loss terms.
    template <int USED>
    HG_INLINE double forward(const std::int64_t* order, int used, T factor, std::int64_t first_sample, std::int64_t t) {
        to_output_sums<true>(first_sample, t);
        Layer& last = layers_[plan_.depth];
        Vec<T> terms = output_group(output_, last.z, y_, last.a, last.delta, factor);
        if (weights_of_rows_) terms = weigh(weights_of_rows_, order, used, last.units, terms, last.delta);
        if constexpr (USED == 1) return static_cast<double>(terms[0]);
        if (used < lanes<T>) {
            const Ints<T> there = lane_numbers<T>() < used;
            terms = pick<T>(there, terms, Vec<T>{});
            for (std::int64_t j = 0; j < last.units; ++j)
                store(last.delta + j * lanes<T>, pick<T>(there, load(last.delta + j * lanes<T>), Vec<T>{}));
        }
        return static_cast<double>(add_first<USED>(terms));
    }

    // Multiplies by the dropout mask over keep; the masks run along the units, the lanes along the samples.
    void drop(Layer& layer, T* values, std::int64_t first_sample, std::int64_t t) {
        layer.mask.step = static_cast<std::uint32_t>(t);
        for (int i = 0; i < lanes<T>; ++i) {
            draw_mask(layer.mask, first_sample + i, layer.units, layer.kept, mask_);
            for (std::int64_t j = 0; j < layer.units; ++j) values[j * lanes<T> + i] *= mask_[j];
        }
    }

    template <int USED>
    HG_INLINE void backward(bool accumulate, std::int64_t first_sample, std::int64_t t) {
        for (int l = plan_.depth; l >= 1; --l) {
            Layer& layer = layers_[l];
            const T* in = l > 1 ? layers_[l - 1].a : x_;
            T* g = g_ + layer.w;
            for (std::int64_t j = 0; j < layer.units; ++j, g += layer.inputs) {
                const Vec<T> delta = load(layer.delta + j * lanes<T>);
                for (std::int64_t k = 0; k < layer.inputs; ++k) {
                    const T sum = add_first<USED>(delta * load(in + k * lanes<T>));
                    g[k] = accumulate ? g[k] + sum : sum;
                }
                const T sum = add_first<USED>(delta);
                g_[layer.b + j] = accumulate ? g_[layer.b + j] + sum : sum;
            }
            if (l == 1) break;
            Layer& below = layers_[l - 1];
            for (std::int64_t k = 0; k < layer.inputs; ++k) {
                Vec<T> sum{};
                const T* w = p_[0] + layer.w + k;
                for (std::int64_t j = 0; j < layer.units; ++j) sum += w[j * layer.inputs] * load(layer.delta + j * lanes<T>);
                if (below.function != Fn::softmax) sum *= load(below.slope + k * lanes<T>);
                store(below.delta + k * lanes<T>, sum);
            }
            if (below.function == Fn::softmax) {
                if (below.dropout) drop(below, below.delta, first_sample, t);
                softmax_backward_lanes(below.z, below.delta, below.units);
            }
        }
    }

    const T *X_ = nullptr, *Y_ = nullptr, *weights_of_rows_ = nullptr;
    FixedRun<T> fixed_;
};

}  // namespace handgrad::HG_ISA
