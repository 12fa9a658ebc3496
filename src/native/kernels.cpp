// Compiled once for each instruction set, with HG_ISA and HG_BYTES set by CMakeLists.txt.
#include "tiny.hpp"
#include "trainer.hpp"

namespace handgrad::HG_ISA {

template <class T>
static Core* make(const Plan& plan) {
    if (TinyCore<T>::suits(plan)) return new TinyCore<T>(plan);
    return new PanelCore<T>(plan);
}

Core* make_core(const Plan& plan, bool float64) { return float64 ? make<double>(plan) : make<float>(plan); }

template <class T>
static Vec<T> apply(Elementary function, Vec<T> x) {
    Vec<T> density;
    switch (function) {
        case Elementary::exp_negative: return exp_negative<T>(x);
        case Elementary::tanh: return tanh_of<T>(x);
        case Elementary::sigmoid: return sigmoid_of<T>(x);
        case Elementary::log: return log_of<T>(x);
        case Elementary::softplus: return softplus_of<T>(x);
        case Elementary::expm1_negative: return expm1_negative<T>(x);
        case Elementary::exp: return exp_of<T>(x);
        default: return normal_cdf<T>(x, density);
    }
}
template <class T>
static void apply_all(Elementary function, const T* x, T* y, std::int64_t count) {
    for (std::int64_t i = 0; i < count; i += lanes<T>) {
        Vec<T> v{};
        const std::size_t size = static_cast<std::size_t>(least(lanes<T>, count - i)) * sizeof(T);
        std::memcpy(&v, x + i, size);
        v = apply<T>(function, v);
        std::memcpy(y + i, &v, size);
    }
}

void evaluate(Elementary function, const void* x, void* y, std::int64_t count, bool float64) {
    if (float64) apply_all(function, static_cast<const double*>(x), static_cast<double*>(y), count);
    else apply_all(function, static_cast<const float*>(x), static_cast<float*>(y), count);
}

}  // namespace handgrad::HG_ISA
