// Steps of one sample in nets of a few inputs, one hidden layer and one output, with sizes fixed at compile time.
//
// The hidden units lie in the lanes of a vector, and all parameters and the optimizer's memory stay in registers from
// the first step of a run to the last. A step then takes as long as its longest chain of operations: two activations
// one after the other. Every operation is the one that TinyCore does, in its order, so that both give the same bits.
#pragma once

#include "losses.hpp"
#include "optimizers.hpp"

namespace handgrad::HG_ISA {

// A net that may have less than HIDDEN units and INPUTS inputs: what is missing has weights of 0.
template <class T>
struct FixedNet {
    std::int64_t inputs, units;
    Fn hidden;
    OutputRule<T> output;
    double factor;       // of the loss
    T* p[3];             // parameters, m, v: W1 row after row, W2, b1, b2
    const T *X, *Y;
};

// One vector of parameters with its memory.
template <class T, Rule RULE>
struct FixedVector {
    Vec<T> p, m, v;

    HG_INLINE void update(const StepRule<T>& r, Vec<T> g) {
        if constexpr (RULE == Rule::sgd) {
            p -= r.eta * g;
        } else {
            m = r.decay1 * m + r.fresh1 * g;
            v = r.decay2 * v + r.fresh2 * g * g;
            const Vec<T> v_hat = v * r.correction;
            const Vec<T> root = r.epsilon_inside ? square_root(v_hat + r.epsilon) : square_root(v_hat) + r.epsilon;
            p -= r.shrink * p + r.rate * m / root;
        }
    }
};

template <class T, int INPUTS, int HIDDEN, Rule RULE>
class FixedSteps {
  public:
    explicit FixedSteps(const FixedNet<T>& net) : net_(net) {
        const std::int64_t weights = net.units * net.inputs;
        for (int i = 0; i < INPUTS; ++i) move_in(w1_[i], i < net.inputs ? net.units : 0, i, net.inputs);
        move_in(w2_, net.units, weights, 1);
        move_in(b1_, net.units, weights + net.units, 1);
        move_in(b2_, 1, weights + 2 * net.units, 1);
    }
    void move_out() const {
        const std::int64_t weights = net_.units * net_.inputs;
        for (int i = 0; i < net_.inputs; ++i) move_back(w1_[i], net_.units, i, net_.inputs);
        move_back(w2_, net_.units, weights, 1);
        move_back(b1_, net_.units, weights + net_.units, 1);
        move_back(b2_, 1, weights + 2 * net_.units, 1);
    }

    // The loss of row `row` of the data, in `delta` its slope by the output's sum; the activations stay for the update.
    template <Fn F, Fn OUT, LossKind LOSS>
    HG_INLINE T forward(std::int64_t row) {
        const T* x = net_.X + row * net_.inputs;
#pragma GCC unroll 8
        for (int i = 0; i < INPUTS; ++i) x_[i] = all<T>(i < net_.inputs ? x[i] : T{0});
        Vec<T> z = b1_.p;
#pragma GCC unroll 8
        for (int i = 0; i < INPUTS; ++i) z += w1_[i].p * x_[i];
        a_ = activate<T, true>(F, z, T{0}, slope_);
        Vec<T> out = b2_.p;
#pragma GCC unroll 8
        for (int j = 0; j < HIDDEN; ++j) out += lane(w2_.p, j) * lane(a_, j);
        return output<OUT, LOSS>(out, all<T>(net_.Y[row]));
    }

    HG_INLINE void update(const StepRule<T>& rule) {
        Vec<T> delta{};
        delta += w2_.p * delta_;
        delta *= slope_;
        // lanes without a unit have weights of 0, which shall stay 0
        w2_.update(rule, pick<T>(lane_numbers<T>() < static_cast<typename VecOf<T>::integer>(net_.units), delta_ * a_, Vec<T>{}));
        b2_.update(rule, delta_);
#pragma GCC unroll 8
        for (int i = 0; i < INPUTS; ++i) w1_[i].update(rule, delta * x_[i]);
        b1_.update(rule, delta);
    }

    T factor;  // of the loss and the mean over one sample

  private:
    using Vector = FixedVector<T, RULE>;

    static HG_INLINE Vec<T> lane(Vec<T> v, int j) { return all<T>(v[j]); }

    template <Fn OUT, LossKind LOSS>
    HG_INLINE T output(Vec<T> z, Vec<T> y) {
        const Vec<T> one = all<T>(1);
        if constexpr (LOSS == LossKind::binary_cross_entropy) {
            const Vec<T> e = exp_negative<T>(-absolute<T>(z));
            const Vec<T> a = pick<T>(z >= 0, one, e) / (e + one), tail = log1p_small<T>(e);
            delta_ = (a - y) * factor;
            return ((larger<T>(Vec<T>{}, z) - z * y) + tail)[0];
        } else {
            Vec<T> slope, outer;
            const Vec<T> a = activate<T, true>(OUT, z, T{0}, slope);
            const Vec<T> term = loss_term<T>(net_.output, a, y, outer);
            delta_ = outer * slope * factor;
            return term[0];
        }
    }

    // `count` numbers from `at` on, `step` apart, into the first lanes; the single bias into all.
    void move_in(Vector& to, std::int64_t count, std::int64_t at, std::int64_t step) const {
        for (int slot = 0; slot < (RULE == Rule::sgd ? 1 : 3); ++slot) {
            alignas(64) T lane_of[lanes<T>] = {};
            for (std::int64_t j = 0; j < count; ++j) lane_of[j] = net_.p[slot][at + j * step];
            (slot == 0 ? to.p : slot == 1 ? to.m : to.v) = load(lane_of);
        }
        if (&to != &b2_) return;
        to.p = all<T>(to.p[0]);
        if (RULE != Rule::sgd) to.m = all<T>(to.m[0]), to.v = all<T>(to.v[0]);
    }
    void move_back(const Vector& from, std::int64_t count, std::int64_t at, std::int64_t step) const {
        for (int slot = 0; slot < (RULE == Rule::sgd ? 1 : 3); ++slot) {
            alignas(64) T lane_of[lanes<T>];
            store(lane_of, slot == 0 ? from.p : slot == 1 ? from.m : from.v);
            for (std::int64_t j = 0; j < count; ++j) net_.p[slot][at + j * step] = lane_of[j];
        }
    }

    FixedNet<T> net_;
    Vector w1_[INPUTS], w2_, b1_, b2_;
    Vec<T> x_[INPUTS], a_, slope_, delta_;
};

template <class T, int INPUTS, int HIDDEN, Rule RULE, Fn F, Fn OUT, LossKind LOSS>
RunResult run_fixed(const FixedNet<T>& net, const Plan& plan, const RunRequest& request, Watch& watch) {
    StepRule<T> rule = make_step_rule<T>(plan);
    Powers powers(plan.optimizer);
    FixedSteps<T, INPUTS, HIDDEN, RULE> steps(net);
    steps.factor = static_cast<T>(net.factor);
    RunResult result{request.steps, false, false};
    for (std::int64_t k = 0; k < request.steps; ++k) {
        if ((k & 63) == 63) {  // as TinyCore
            const bool interrupted = watch.interrupted();
            if (interrupted || (watch.due() && watch.stop())) {
                result = {k, false, interrupted};
                break;
            }
        }
        const double loss = static_cast<double>(steps.template forward<F, OUT, LOSS>(request.order[k])) * net.factor;
        request.losses[k] = loss;
        if (!(loss - loss == 0)) {
            result = {k + 1, true, false};
            break;
        }
        powers.set(rule, request.first_step + k, request.rates[k]);
        steps.update(rule);
    }
    steps.move_out();
    return result;
}

template <class T>
using FixedRun = RunResult (*)(const FixedNet<T>&, const Plan&, const RunRequest&, Watch&);

template <class T, int INPUTS, int HIDDEN, Rule RULE, Fn F>
FixedRun<T> fixed_by_output(Fn out, LossKind loss) {
    if (out == Fn::sigmoid && loss == LossKind::binary_cross_entropy)
        return run_fixed<T, INPUTS, HIDDEN, RULE, F, Fn::sigmoid, LossKind::binary_cross_entropy>;
    if (loss != LossKind::squared_error) return nullptr;
    if (out == Fn::sigmoid) return run_fixed<T, INPUTS, HIDDEN, RULE, F, Fn::sigmoid, LossKind::squared_error>;
    if (out == Fn::identity) return run_fixed<T, INPUTS, HIDDEN, RULE, F, Fn::identity, LossKind::squared_error>;
    return nullptr;
}
template <class T, int INPUTS, int HIDDEN, Rule RULE>
FixedRun<T> fixed_by_functions(Fn hidden, Fn out, LossKind loss) {
    if (hidden == Fn::sigmoid) return fixed_by_output<T, INPUTS, HIDDEN, RULE, Fn::sigmoid>(out, loss);
    if (hidden == Fn::tanh) return fixed_by_output<T, INPUTS, HIDDEN, RULE, Fn::tanh>(out, loss);
    if (hidden == Fn::relu) return fixed_by_output<T, INPUTS, HIDDEN, RULE, Fn::relu>(out, loss);
    return nullptr;
}
template <class T, int INPUTS, int HIDDEN>
FixedRun<T> fixed_by_rule(const Plan& plan) {
    const Fn hidden = plan.layers[0].function, out = plan.layers[1].function;
    const OptimizerPlan& o = plan.optimizer;
    if (o.rule == Rule::sgd) return fixed_by_functions<T, INPUTS, HIDDEN, Rule::sgd>(hidden, out, plan.loss.kind);
    if (o.rule == Rule::adam && !o.amsgrad && o.epsilon > 0)
        return fixed_by_functions<T, INPUTS, HIDDEN, Rule::adam>(hidden, out, plan.loss.kind);
    return nullptr;
}

// Steps of one sample for this net; null where it is not one of those that have a form of their own.
template <class T>
FixedRun<T> fixed_run(const Plan& plan) {
    if (plan.depth != 2 || plan.layers[1].units != 1 || plan.predict_only) return nullptr;
    if (plan.l1 > 0 || plan.l2 > 0 || plan.clip_value > 0 || plan.clip_norm > 0) return nullptr;
    for (int l = 0; l < 2; ++l)
        if (plan.layers[l].dropout || plan.layers[l].bias != Bias::trained) return nullptr;
    const std::int64_t inputs = plan.layers[0].inputs, units = plan.layers[0].units;
    if (inputs > 4 || units > 4 || units > lanes<T>) return nullptr;
    if constexpr (lanes<T> >= 4) {
        if (inputs > 2) return units > 2 ? fixed_by_rule<T, 4, 4>(plan) : fixed_by_rule<T, 4, 2>(plan);
        if (units > 2) return fixed_by_rule<T, 2, 4>(plan);
    } else if (inputs > 2) {
        return fixed_by_rule<T, 4, 2>(plan);
    }
    return fixed_by_rule<T, 2, 2>(plan);
}

}  // namespace handgrad::HG_ISA
