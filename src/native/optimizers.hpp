// The optimizers: penalty, clipping and update of one stretch of parameters in one pass (nn/optimizers.py).
#pragma once

#include "layout.hpp"
#include "plan.hpp"

namespace handgrad::HG_ISA {

// Numbers of one step, the same for all parameters.
template <class T>
struct StepRule {
    Rule rule;
    bool amsgrad, epsilon_inside;
    T eta, momentum, weight;            // momentum: weight of the gradient in the velocity
    T decay1, fresh1, decay2, fresh2;   // beta and 1 - beta; RMSprop and Adadelta use the second pair
    T rate;                             // eta / (1 - beta1^t); NAdam: eta beta1 / (1 - beta1^(t+1)), of the mean
    T rate_of_fresh;                    // NAdam: eta (1 - beta1) / (1 - beta1^t), of the gradient
    T correction;                       // 1 / (1 - beta2^t)
    T epsilon, shrink;                  // shrink: eta * weight_decay
    T l2, l1;                           // gradient of the penalty: l2 p + l1 sign(p)
    T clip;                             // limit of each entry, infinite without clipping
    T scale;                            // of the whole gradient, from clipping by norm
    double weight_decay;
    bool penalized;                     // anything but 0, 0, infinite, 1 in the four above
};

extern "C" double pow(double, double);

HG_INLINE double l2_coefficient(const Plan& plan, std::int64_t samples) {
    if (plan.l2_form == L2Form::full) return plan.l2;
    return plan.l2 / 2 / (plan.l2_form == L2Form::half_mean ? static_cast<double>(samples) : 1.0);
}

// beta^t of consecutive steps, each by one product from a table: as far from pow as one rounding, and a function of
// t alone, so that a run in pieces gives the same bits.
class Powers {
  public:
    explicit Powers(const OptimizerPlan& o) : adam_(o.rule == Rule::adam), nadam_(o.rule == Rule::nadam), beta1_(o.beta1), beta2_(o.beta2) {
        if (!adam_ && !nadam_) return;
        first_[0] = second_[0] = 1;
        for (int i = 1; i < length; ++i) {
            first_[i] = pow(beta1_, static_cast<double>(i));
            second_[i] = pow(beta2_, static_cast<double>(i));
        }
    }

    // The learning rate of step t and Adam's corrections.
    template <class T>
    HG_INLINE void set(StepRule<T>& rule, std::int64_t t, double eta) {
        rule.eta = static_cast<T>(eta);
        rule.shrink = static_cast<T>(eta * rule.weight_decay);
        if (!adam_ && !nadam_) return;
        const std::int64_t start = t & ~static_cast<std::int64_t>(length - 1);
        if (start != start_) {
            start_ = start;
            base1_ = pow(beta1_, static_cast<double>(start));
            base2_ = pow(beta2_, static_cast<double>(start));
        }
        const double power = base1_ * first_[t - start];
        rule.rate = static_cast<T>(nadam_ ? eta * beta1_ / (1 - power * beta1_) : eta / (1 - power));
        rule.rate_of_fresh = static_cast<T>(eta * (1 - beta1_) / (1 - power));
        rule.correction = static_cast<T>(1 / (1 - base2_ * second_[t - start]));
    }

  private:
    static constexpr int length = 64;
    bool adam_, nadam_;
    double beta1_, beta2_, base1_ = 1, base2_ = 1;
    std::int64_t start_ = -1;
    double first_[length], second_[length];
};

// Everything of a step that does not change from step to step; Powers::set adds the rest.
template <class T>
inline StepRule<T> make_step_rule(const Plan& plan) {
    const OptimizerPlan& o = plan.optimizer;
    StepRule<T> r{};
    r.rule = o.rule;
    r.amsgrad = o.amsgrad;
    r.epsilon_inside = o.epsilon_inside;
    r.momentum = static_cast<T>(o.momentum);
    r.weight = static_cast<T>(o.rule == Rule::average ? 1 - o.momentum : 1);
    const bool means_squares = o.rule == Rule::rmsprop || o.rule == Rule::adadelta;
    const double second = means_squares ? o.decay : o.beta2;
    r.decay1 = static_cast<T>(o.beta1);
    r.fresh1 = static_cast<T>(1 - o.beta1);
    r.decay2 = static_cast<T>(second);
    r.fresh2 = static_cast<T>(1 - second);
    r.epsilon = static_cast<T>(o.epsilon);
    r.weight_decay = o.weight_decay;
    r.l1 = static_cast<T>(plan.l1);
    r.clip = static_cast<T>(plan.clip_value > 0 ? plan.clip_value : __builtin_inf());
    r.scale = 1;
    r.penalized = plan.l1 > 0 || plan.l2 > 0 || plan.clip_value > 0 || plan.clip_norm > 0;
    return r;
}

// After all gradients are clipped by value and their squares added: only the scale remains to be done.
template <class T>
inline void scale_to_norm(StepRule<T>& rule, double limit, double squares) {
    const double norm = __builtin_sqrt(squares);
    rule.scale = static_cast<T>(norm > limit ? limit / norm : 1.0);
    rule.l1 = rule.l2 = 0;
    rule.clip = static_cast<T>(__builtin_inf());
}

template <class T>
struct Stretch {
    T* p;
    T* s[3];
    const T* g;
    std::int64_t rows;  // of `panel` elements
    int vectors;        // of each row that are in use
};

// Sums over parameters after the update, for the penalties of the next step.
template <class T>
struct Sums {
    Vec<T> squares{}, absolutes{};
};

template <class T>
HG_INLINE Vec<T> penalized_gradient(const StepRule<T>& r, Vec<T> p, Vec<T> g) {
    const Vec<T> one = all<T>(1), zero{};
    g += r.l2 * p;
    if (r.l1 != 0) g += r.l1 * (pick<T>(p > 0, one, zero) - pick<T>(p < 0, one, zero));
    return larger<T>(all<T>(-r.clip), smaller<T>(all<T>(r.clip), g));
}

template <class T, Rule RULE, bool PENALIZED>
inline void update_stretch(const StepRule<T>& r, const Stretch<T>& x, Sums<T>& sums) {
    for (std::int64_t i = 0; i < x.rows; ++i) {
        for (int n = 0; n < x.vectors; ++n) {
            const std::int64_t at = i * panel<T> + n * lanes<T>;
            Vec<T> p = load(x.p + at), g = load(x.g + at);
            if constexpr (PENALIZED) g = penalized_gradient(r, p, g) * r.scale;
            if constexpr (RULE == Rule::sgd) {
                p -= r.eta * g;
            } else if constexpr (RULE == Rule::velocity || RULE == Rule::average) {
                const Vec<T> v = r.momentum * load(x.s[0] + at) + r.weight * g;
                store(x.s[0] + at, v);
                p -= r.eta * v;
            } else if constexpr (RULE == Rule::heavy_ball) {
                const Vec<T> v = r.momentum * load(x.s[0] + at) - r.eta * g;
                store(x.s[0] + at, v);
                p += v;
            } else if constexpr (RULE == Rule::nesterov) {
                const Vec<T> v = r.momentum * load(x.s[0] + at) + g;
                store(x.s[0] + at, v);
                p -= r.eta * (g + r.momentum * v);
            } else if constexpr (RULE == Rule::rmsprop) {
                const Vec<T> s = r.decay2 * load(x.s[0] + at) + r.fresh2 * g * g;
                store(x.s[0] + at, s);
                p -= r.eta * g / (square_root(s) + r.epsilon);
            } else if constexpr (RULE == Rule::adagrad) {
                const Vec<T> s = load(x.s[0] + at) + g * g;
                store(x.s[0] + at, s);
                p -= r.eta * g / (square_root(s) + r.epsilon);
            } else if constexpr (RULE == Rule::adadelta) {
                const Vec<T> s = r.decay2 * load(x.s[0] + at) + r.fresh2 * g * g, u = load(x.s[1] + at);
                const Vec<T> step = square_root(u + r.epsilon) / square_root(s + r.epsilon) * g;
                store(x.s[0] + at, s);
                store(x.s[1] + at, r.decay2 * u + r.fresh2 * step * step);
                p -= r.eta * step;
            } else if constexpr (RULE == Rule::nadam) {
                const Vec<T> m = r.decay1 * load(x.s[0] + at) + r.fresh1 * g;
                const Vec<T> v = r.decay2 * load(x.s[1] + at) + r.fresh2 * g * g;
                store(x.s[0] + at, m);
                store(x.s[1] + at, v);
                p -= (r.rate * m + r.rate_of_fresh * g) / (square_root(v * r.correction) + r.epsilon);
            } else if constexpr (RULE == Rule::lion) {
                const Vec<T> m = load(x.s[0] + at), c = r.decay1 * m + r.fresh1 * g, one = all<T>(1);
                store(x.s[0] + at, r.decay2 * m + r.fresh2 * g);
                p -= r.shrink * p + r.eta * pick<T>(c > 0, one, pick<T>(c < 0, -one, c));
            } else {
                const Vec<T> m = r.decay1 * load(x.s[0] + at) + r.fresh1 * g;
                const Vec<T> v = r.decay2 * load(x.s[1] + at) + r.fresh2 * g * g;
                store(x.s[0] + at, m);
                store(x.s[1] + at, v);
                Vec<T> most_v = v;
                if (r.amsgrad) {
                    most_v = larger<T>(load(x.s[2] + at), v);
                    store(x.s[2] + at, most_v);
                }
                const Vec<T> v_hat = most_v * r.correction;
                const Vec<T> root = r.epsilon_inside ? square_root(v_hat + r.epsilon) : square_root(v_hat) + r.epsilon;
                p -= r.shrink * p + r.rate * m / root;
            }
            store(x.p + at, p);
            if constexpr (PENALIZED) {
                sums.squares += p * p;
                sums.absolutes += absolute<T>(p);
            }
        }
    }
}

template <class T, bool PENALIZED>
inline void update_by_rule(const StepRule<T>& r, const Stretch<T>& x, Sums<T>& sums) {
    switch (r.rule) {
#define HG_CASE(name) \
    case Rule::name: return update_stretch<T, Rule::name, PENALIZED>(r, x, sums);
        HG_RULES(HG_CASE)
#undef HG_CASE
    }
}

template <class T>
inline void update(const StepRule<T>& r, const Stretch<T>& x, Sums<T>& sums) {
    if (r.penalized) update_by_rule<T, true>(r, x, sums);
    else update_by_rule<T, false>(r, x, sums);
}

// Adds the squares of the gradient as it will be used, before scaling by norm; stores it clipped by value.
template <class T>
inline void prepare_norm(const StepRule<T>& r, const T* p, T* g, std::int64_t rows, int vectors, Sums<T>& sums) {
    for (std::int64_t i = 0; i < rows; ++i)
        for (int n = 0; n < vectors; ++n) {
            const std::int64_t at = i * panel<T> + n * lanes<T>;
            const Vec<T> clipped = penalized_gradient(r, load(p + at), load(g + at));
            store(g + at, clipped);
            sums.squares += clipped * clipped;
        }
}

}  // namespace handgrad::HG_ISA
