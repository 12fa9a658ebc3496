// Activation functions and their derivatives, one row each, on vectors (nn/activations.py says the equations).
#pragma once

#include "elementary.hpp"
#include "plan.hpp"

namespace handgrad::HG_ISA {

// SELU above 0, and below it, where alpha is a factor too (nn/activations.py).
template <class T>
constexpr T selu_scale = static_cast<T>(1.0507009873554804934193349852946);
template <class T>
constexpr T selu_below = static_cast<T>(1.7580993408473768599402175208123);

// f(z); `slope` receives f'(z) where the caller wants it.
template <class T, bool SLOPE>
HG_INLINE Vec<T> activate(Fn function, Vec<T> z, T alpha, Vec<T>& slope) {
    const Vec<T> one = all<T>(1), zero{};
    switch (function) {
        case Fn::identity:
        case Fn::softmax:  // not elementwise: softmax_lanes in losses.hpp does it
            if (SLOPE) slope = one;
            return z;
        case Fn::sigmoid: {
            const Vec<T> a = sigmoid_of<T>(z);
            if (SLOPE) slope = a * (one - a);
            return a;
        }
        case Fn::tanh: {
            const Vec<T> a = tanh_of<T>(z);
            if (SLOPE) slope = one - a * a;
            return a;
        }
        case Fn::relu:
            if (SLOPE) slope = pick<T>(z > 0, one, zero);
            return larger<T>(zero, z);
        case Fn::leaky_relu:
            if (SLOPE) slope = pick<T>(z > 0, one, all<T>(alpha));
            return pick<T>(z > 0, z, alpha * z);
        case Fn::elu: {
            const Vec<T> a = pick<T>(z > 0, z, alpha * expm1_negative<T>(smaller<T>(zero, z)));
            if (SLOPE) slope = pick<T>(z > 0, one, a + alpha);
            return a;
        }
        case Fn::gelu: {
            Vec<T> density;
            const Vec<T> cdf = normal_cdf<T>(z, density);
            if (SLOPE) slope = cdf + z * density;
            return z * cdf;
        }
        case Fn::silu: {
            const Vec<T> s = sigmoid_of<T>(z);
            if (SLOPE) slope = s * (one + z * (one - s));
            return z * s;
        }
        case Fn::softplus:
            if (SLOPE) slope = sigmoid_of<T>(z);
            return softplus_of<T>(z);
        case Fn::step:
            if (SLOPE) slope = zero;
            return pick<T>(z > 0, one, zero);
        case Fn::relu6: {
            const Vec<T> a = smaller<T>(all<T>(6), larger<T>(zero, z));
            if (SLOPE) slope = pick<T>((z > 0) & (z < 6), one, zero);
            return a;
        }
        case Fn::hard_sigmoid: {
            const Vec<T> a = smaller<T>(all<T>(6), larger<T>(zero, z + 3)) / 6;
            if (SLOPE) slope = pick<T>((z > -3) & (z < 3), one / 6, zero);
            return a;
        }
        case Fn::selu: {
            const Vec<T> below = selu_below<T> * expm1_negative<T>(smaller<T>(zero, z));
            if (SLOPE) slope = pick<T>(z > 0, all<T>(selu_scale<T>), below + selu_below<T>);
            return pick<T>(z > 0, selu_scale<T> * z, below);
        }
        case Fn::mish: {
            // tanh(ln(1 + e^z)) = n / (n + 2) with n = e^z (e^z + 2); for z >= 0 both are divided by e^2z
            const Ints<T> up = z >= 0;
            const Vec<T> e = exp_negative<T>(-absolute<T>(z)), square = e * e;
            const Vec<T> n = pick<T>(up, one + 2 * e, square + 2 * e);
            const Vec<T> rest = 2 * pick<T>(up, square, one);  // 1 - tanh is rest / below
            const Vec<T> below = n + rest, t = n / below;
            if (SLOPE) slope = t + z * (one + t) * (rest / below) * (pick<T>(up, one, e) / (e + 1));
            return z * t;
        }
        case Fn::exponential: {
            const Vec<T> a = exp_of<T>(z);
            if (SLOPE) slope = a;
            return a;
        }
    }
    __builtin_unreachable();
}

// True where f'(z) can be had from a = f(z) alone, so that nothing else need be kept.
HG_INLINE bool slope_from_output(Fn function, double alpha) {
    switch (function) {
        case Fn::identity:
        case Fn::sigmoid:
        case Fn::tanh:
        case Fn::relu:
        case Fn::step:
        case Fn::relu6:
        case Fn::hard_sigmoid:
        case Fn::selu:
        case Fn::exponential:
            return true;
        case Fn::leaky_relu:
        case Fn::elu:
            return alpha > 0;  // else a does not tell z > 0 from z < 0 where it underflows
        default:
            return false;
    }
}

template <class T>
HG_INLINE Vec<T> slope_of_output(Fn function, Vec<T> a, T alpha) {
    const Vec<T> one = all<T>(1), zero{};
    switch (function) {
        case Fn::sigmoid:
            return a * (one - a);
        case Fn::tanh:
            return one - a * a;
        case Fn::relu:
            return pick<T>(a > 0, one, zero);
        case Fn::leaky_relu:
            return pick<T>(a > 0, one, all<T>(alpha));
        case Fn::elu:
            return pick<T>(a > 0, one, a + alpha);
        case Fn::step:
            return zero;
        case Fn::relu6:
            return pick<T>((a > 0) & (a < 6), one, zero);
        case Fn::hard_sigmoid:
            return pick<T>((a > 0) & (a < 1), one / 6, zero);
        case Fn::selu:
            return pick<T>(a > 0, all<T>(selu_scale<T>), a + selu_below<T>);
        case Fn::exponential:
            return a;
        default:
            return one;
    }
}

// Calls `body` with the function as a compile-time constant, so that loops hold no switch.
template <Fn F>
struct Constant {
    static constexpr Fn value = F;
};
template <class Body>
HG_INLINE void with_function(Fn function, Body body) {
    switch (function) {
#define HG_CASE(name) \
    case Fn::name: return body(Constant<Fn::name>{});
        HG_FUNCTIONS(HG_CASE)
#undef HG_CASE
    }
}

}  // namespace handgrad::HG_ISA
