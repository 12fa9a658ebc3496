// Activation functions and their derivatives, one row each, on vectors (nn/activations.py says the equations).
#pragma once

#include "elementary.hpp"
#include "plan.hpp"

namespace handgrad::HG_ISA {

// f(z); `slope` receives f'(z) where the caller wants it.
template <class T, bool SLOPE>
HG_INLINE Vec<T> activate(Fn function, Vec<T> z, T alpha, Vec<T>& slope) {
    const Vec<T> one = all<T>(1), zero{};
    switch (function) {
        case Fn::identity:
        case Fn::softmax:  // not elementwise: see softmax.hpp
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
        case Fn::identity: return body(Constant<Fn::identity>{});
        case Fn::sigmoid: return body(Constant<Fn::sigmoid>{});
        case Fn::tanh: return body(Constant<Fn::tanh>{});
        case Fn::relu: return body(Constant<Fn::relu>{});
        case Fn::leaky_relu: return body(Constant<Fn::leaky_relu>{});
        case Fn::elu: return body(Constant<Fn::elu>{});
        case Fn::gelu: return body(Constant<Fn::gelu>{});
        case Fn::silu: return body(Constant<Fn::silu>{});
        case Fn::softplus: return body(Constant<Fn::softplus>{});
        case Fn::softmax: return body(Constant<Fn::softmax>{});
        case Fn::step: return body(Constant<Fn::step>{});
    }
}

}  // namespace handgrad::HG_ISA
