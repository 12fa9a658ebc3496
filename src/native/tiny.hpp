// Training of nets that fit the first-level cache whole: one thread, no panels, a vector of samples in the lanes.
//
// All weights lie row after row in one short array, all biases behind them, so that the optimizer passes over a
// handful of vectors; the products are plain loops over (unit, input).
#pragma once

#include "arena.hpp"
#include "losses.hpp"
#include "optimizers.hpp"
#include "philox.hpp"

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
class TinyCore final : public Core {
  public:
    // Up to here the loops over single weights are faster than tiles (measured).
    static bool suits(const Plan& plan) {
        std::int64_t weights = 0;
        for (int l = 0; l < plan.depth; ++l) weights += plan.layers[l].units * (plan.layers[l].inputs + 1);
        return plan.path == Path::tiny || (plan.path == Path::automatic && weights <= 128 && plan.largest_batch <= lanes<T>);
    }

    explicit TinyCore(const Plan& plan) : plan_(plan) {
        weights_ = biases_ = 0;
        widest_ = plan.layers[0].inputs;
        separate_ = plan.l1 > 0 || plan.l2 > 0;
        for (int l = 0; l < plan.depth; ++l) {
            const LayerPlan& layer = plan.layers[l];
            weights_ += layer.units * layer.inputs;
            biases_ += layer.units;
            widest_ = most(widest_, layer.units);
            if (layer.bias != Bias::trained) separate_ = true;
        }
        first_bias_ = separate_ ? padded<T>(weights_) : weights_;
        size_ = padded<T>(first_bias_ + biases_);
        factor_ = plan.loss.scale / (plan.loss.mean_outputs ? static_cast<double>(plan.layers[plan.depth - 1].units) : 1.0);
        output_ = {plan.loss.kind, plan.layers[plan.depth - 1].function, static_cast<T>(plan.layers[plan.depth - 1].alpha),
                   static_cast<T>(plan.loss.threshold), plan.layers[plan.depth - 1].units};
    }

    std::int64_t bytes() const override {
        TinyCore<T> copy(plan_);
        return copy.lay_out(nullptr);
    }
    void settle(void* arena) override { lay_out(arena); }
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
    // Prediction is the business of the panels.
    bool predict(const void*, std::int64_t, void*, Team&, Watch&) override { return false; }

    RunResult run(const RunRequest& request, Team&, Watch& watch) override {
        // few samples need few lanes added
        if (request.batch == 1) return steps<1>(request, watch);
        if (request.batch <= 4 && lanes<T> > 4) return steps<(lanes<T> > 4 ? 4 : 1)>(request, watch);
        return steps<lanes<T>>(request, watch);
    }

  private:
    struct Layer {
        std::int64_t inputs, units, w, b;  // w, b: where its numbers begin
        Fn function;
        T alpha, kept;
        Bias bias;
        bool dropout;
        Mask mask;
        T *z, *a, *slope, *delta;  // units x lanes
    };

    std::int64_t lay_out(void* base) {
        Arena arena(base);
        const int L = plan_.depth;
        layers_ = arena.template take<Layer>(L + 1);
        for (int slot = 0; slot <= plan_.optimizer.slots; ++slot) p_[slot] = arena.template take<T>(size_);
        g_ = arena.template take<T>(size_);
        saved_ = arena.template take<T>(biases_);
        x_ = arena.template take<T>(plan_.layers[0].inputs * lanes<T>);
        y_ = arena.template take<T>(plan_.layers[L - 1].units * lanes<T>);
        mask_ = arena.template take<T>(widest_ + 4 * word_lanes);
        std::int64_t w = 0, b = first_bias_;
        for (int l = 1; l <= L; ++l) {
            const LayerPlan& from = plan_.layers[l - 1];
            Layer layer{};
            layer.inputs = from.inputs;
            layer.units = from.units;
            layer.w = w;
            layer.b = b;
            w += from.inputs * from.units;
            b += from.units;
            layer.function = from.function;
            layer.alpha = static_cast<T>(from.alpha);
            layer.bias = from.bias;
            layer.dropout = from.dropout;
            layer.kept = static_cast<T>(from.dropout ? 1 / from.keep : 1.0);
            layer.mask = {plan_.seed, static_cast<std::uint64_t>(from.keep * 4294967296.0), static_cast<std::uint32_t>(l), 0};
            layer.z = arena.template take<T>(from.units * lanes<T>);
            layer.a = arena.template take<T>(from.units * lanes<T>);
            layer.slope = arena.template take<T>(from.units * lanes<T>);
            layer.delta = arena.template take<T>(from.units * lanes<T>);
            if (base) layers_[l] = layer;
        }
        return arena.used();
    }

    template <int USED>
    RunResult steps(const RunRequest& request, Watch& watch) {
        const StepRule<T> fixed = make_step_rule<T>(plan_);
        Powers powers(plan_.optimizer);
        for (std::int64_t k = 0; k < request.steps; ++k) {
            if ((k & 63) == 63) {  // a look at the clock costs as much as half a step
                if (watch.interrupted()) return {k, false, true};
                if (watch.due() && watch.stop()) return {k, false, false};
            }
            const std::int64_t first = k * request.batch, m = least(request.batch, request.count - first);
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

    // a[l] for all layers, delta[L]; returns the sum of the loss terms.
    template <int USED>
    HG_INLINE double forward(const std::int64_t* order, int used, T factor, std::int64_t first_sample, std::int64_t t) {
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
                    store(layer.a + j * lanes<T>, activate<T, true>(layer.function, z, layer.alpha, slope));
                    store(layer.slope + j * lanes<T>, slope);
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
            if (layer.dropout) {
                drop(layer, layer.a, first_sample, t);
                drop(layer, layer.slope, first_sample, t);
            }
            in = layer.a;
        }
        Layer& last = layers_[L];
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

    HG_INLINE void update_all(StepRule<T>& rule) {
        Sums<T> sums, ignored;
        if (!separate_ && plan_.clip_norm == 0) {
            update(rule, stretch(0, weights_ + biases_), sums);
            return;
        }
        tie_biases();
        StepRule<T> of_bias = rule;
        of_bias.l1 = of_bias.l2 = 0;
        if (plan_.clip_norm > 0) clip_norm(rule, of_bias);
        if (!separate_) {
            update(rule, stretch(0, weights_ + biases_), ignored);
            return;
        }
        update(rule, stretch(0, weights_), sums);
        update(of_bias, stretch(first_bias_, biases_), ignored);
        restore_biases();
        for (std::int64_t i = weights_; i < first_bias_; ++i) p_[0][i] = 0;  // 0 / 0 where epsilon is 0
        squares_ = static_cast<double>(add_lanes<T>(sums.squares));
        absolutes_ = static_cast<double>(add_lanes<T>(sums.absolutes));
    }

    // Shared biases get the sum of their gradients, those that are not trained none.
    void tie_biases() {
        for (int l = 1; l <= plan_.depth; ++l) {
            const Layer& layer = layers_[l];
            if (layer.bias == Bias::trained) continue;
            T* g = g_ + layer.b;
            T sum = 0;
            for (std::int64_t j = 0; j < layer.units; ++j) sum += layer.bias == Bias::shared ? g[j] : 0;
            for (std::int64_t j = 0; j < layer.units; ++j) g[j] = sum;
        }
        std::memcpy(saved_, p_[0] + first_bias_, static_cast<std::size_t>(biases_) * sizeof(T));
    }
    void restore_biases() {
        for (int l = 1; l <= plan_.depth; ++l) {
            const Layer& layer = layers_[l];
            if (layer.bias == Bias::trained || layer.bias == Bias::shared) continue;
            std::memcpy(p_[0] + layer.b, saved_ + (layer.b - first_bias_), static_cast<std::size_t>(layer.units) * sizeof(T));
        }
    }

    void clip_norm(StepRule<T>& rule, StepRule<T>& of_bias) {
        Sums<T> ignored;
        const Stretch<T> w = stretch(0, weights_), b = stretch(first_bias_, biases_);
        if (separate_) {
            prepare_norm(rule, w.p, g_, w.rows, w.vectors, ignored);
            prepare_norm(of_bias, b.p, g_ + first_bias_, b.rows, b.vectors, ignored);
        } else {
            const Stretch<T> both = stretch(0, weights_ + biases_);
            prepare_norm(rule, both.p, g_, both.rows, both.vectors, ignored);
        }
        double norm = 0;
        for (std::int64_t i = 0; i < weights_; ++i) norm += static_cast<double>(g_[i]) * static_cast<double>(g_[i]);
        for (int l = 1; l <= plan_.depth; ++l) {
            const Layer& layer = layers_[l];
            const std::int64_t counted = layer.bias == Bias::shared ? 1 : layer.units;  // those not trained are 0
            for (std::int64_t j = 0; j < counted; ++j)
                norm += static_cast<double>(g_[layer.b + j]) * static_cast<double>(g_[layer.b + j]);
        }
        for (StepRule<T>* r : {&rule, &of_bias}) scale_to_norm(*r, plan_.clip_norm, norm);
    }

    Stretch<T> stretch(std::int64_t from, std::int64_t count) const {
        Stretch<T> x{};
        x.p = p_[0] + from;
        for (int s = 0; s < plan_.optimizer.slots; ++s) x.s[s] = p_[s + 1] + from;
        x.g = g_ + from;
        x.rows = panels<T>(count);
        x.vectors = count <= lanes<T> ? 1 : 2;
        return x;
    }

    Plan plan_;
    OutputRule<T> output_;
    bool separate_;  // weights and biases are updated apart
    std::int64_t weights_, biases_, first_bias_, size_, widest_;
    double factor_;
    Layer* layers_ = nullptr;
    T* p_[4] = {};
    T *g_ = nullptr, *saved_ = nullptr, *x_ = nullptr, *y_ = nullptr, *mask_ = nullptr;
    const T *X_ = nullptr, *Y_ = nullptr, *weights_of_rows_ = nullptr;
    double squares_ = 0, absolutes_ = 0;
};

}  // namespace handgrad::HG_ISA
