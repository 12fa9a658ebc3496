// Vectors of the instruction set that this translation unit is compiled for.
//
// The kernels are written once with the vector extensions of GCC and Clang and compiled several times; HG_ISA names
// the copy and HG_BYTES its vector width, so nothing here may be used by a file that is compiled only once.
#pragma once

#include <cstdint>
#include <cstring>

#ifndef HG_ISA
#define HG_ISA portable
#define HG_BYTES 16
#endif

#if HG_BYTES > 16
#include <immintrin.h>
#endif

#define HG_INLINE inline __attribute__((always_inline))

namespace handgrad::HG_ISA {

template <class T>
struct VecOf;
template <>
struct VecOf<float> {
    typedef float vec __attribute__((vector_size(HG_BYTES), may_alias));
    typedef float loose __attribute__((vector_size(HG_BYTES), may_alias, aligned(4)));
    typedef std::int32_t ints __attribute__((vector_size(HG_BYTES), may_alias));
    using integer = std::int32_t;
};
template <>
struct VecOf<double> {
    typedef double vec __attribute__((vector_size(HG_BYTES), may_alias));
    typedef double loose __attribute__((vector_size(HG_BYTES), may_alias, aligned(8)));
    typedef std::int64_t ints __attribute__((vector_size(HG_BYTES), may_alias));
    using integer = std::int64_t;
};

template <class T>
using Vec = typename VecOf<T>::vec;
template <class T>
using Ints = typename VecOf<T>::ints;

template <class T>
constexpr int lanes = HG_BYTES / static_cast<int>(sizeof(T));

// All matrices are kept in panels two vectors wide.
template <class T>
constexpr int panel = 2 * lanes<T>;

template <class T>
HG_INLINE Vec<T> load(const T* p) {
    return *reinterpret_cast<const Vec<T>*>(p);
}
template <class T>
HG_INLINE Vec<T> load_loose(const T* p) {
    return *reinterpret_cast<const typename VecOf<T>::loose*>(p);
}
template <class T>
HG_INLINE void store(T* p, Vec<T> v) {
    *reinterpret_cast<Vec<T>*>(p) = v;
}
template <class T>
HG_INLINE void store_loose(T* p, Vec<T> v) {
    *reinterpret_cast<typename VecOf<T>::loose*>(p) = v;
}
template <class T>
HG_INLINE Vec<T> all(T value) {
    return Vec<T>{} + value;
}
template <class T>
HG_INLINE Vec<T> pick(Ints<T> mask, Vec<T> yes, Vec<T> no) {
    return mask ? yes : no;
}
// The larger one; a NaN in `b` stays, which is how a diverged value reaches the loss.
template <class T>
HG_INLINE Vec<T> larger(Vec<T> a, Vec<T> b) {
    return a > b ? a : b;
}
template <class T>
HG_INLINE Vec<T> smaller(Vec<T> a, Vec<T> b) {
    return a < b ? a : b;
}
template <class T>
HG_INLINE Vec<T> absolute(Vec<T> v) {
    constexpr auto bits = sizeof(T) == 4 ? 0x7fffffffLL : 0x7fffffffffffffffLL;
    const Ints<T> mask = Ints<T>{} + static_cast<typename VecOf<T>::integer>(bits);
    return reinterpret_cast<Vec<T>>(reinterpret_cast<Ints<T>>(v) & mask);
}
template <class T>
HG_INLINE T add_lanes(Vec<T> v) {
    T parts[lanes<T>];
    std::memcpy(parts, &v, sizeof v);
    for (int width = lanes<T> / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) parts[i] += parts[i + width];
    return parts[0];
}
HG_INLINE Vec<float> square_root(Vec<float> v) {
#if HG_BYTES == 64
    return (Vec<float>)_mm512_sqrt_ps((__m512)v);
#elif HG_BYTES == 32
    return (Vec<float>)_mm256_sqrt_ps((__m256)v);
#else
    for (int i = 0; i < lanes<float>; ++i) v[i] = __builtin_sqrtf(v[i]);
    return v;
#endif
}
HG_INLINE Vec<double> square_root(Vec<double> v) {
#if HG_BYTES == 64
    return (Vec<double>)_mm512_sqrt_pd((__m512d)v);
#elif HG_BYTES == 32
    return (Vec<double>)_mm256_sqrt_pd((__m256d)v);
#else
    for (int i = 0; i < lanes<double>; ++i) v[i] = __builtin_sqrt(v[i]);
    return v;
#endif
}
// 0, 1, 2, ... in the lanes.
template <class T>
HG_INLINE Ints<T> lane_numbers() {
    Ints<T> v{};
    for (int i = 0; i < lanes<T>; ++i) v[i] = i;
    return v;
}

}  // namespace handgrad::HG_ISA
