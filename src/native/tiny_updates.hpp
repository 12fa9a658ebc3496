// The parameters of a tiny net in one short array, and their update.
#pragma once

#include "arena.hpp"
#include "losses.hpp"
#include "optimizers.hpp"
#include "philox.hpp"

namespace handgrad::HG_ISA {

template <class T>
class TinyUpdates {
  protected:
    struct Layer {
        std::int64_t inputs, units, w, b;  // w, b: where its numbers begin
        Fn function;
        T alpha, kept;
        Bias bias;
        bool dropout;
        Mask mask;
        T *z, *a, *slope, *delta;  // units x lanes
    };

    explicit TinyUpdates(const Plan& plan) : plan_(plan) {
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
    double squares_ = 0, absolutes_ = 0;
};

}  // namespace handgrad::HG_ISA
