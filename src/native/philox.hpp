// Dropout masks: Philox4x32-10 (J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011).
//
// counter = (unit / 4, sample in the batch, layer, step), key = the 64-bit seed; a unit is kept where word unit % 4
// is below keep * 2^32. The same bits as handgrad.nn.dropout.
#pragma once

#include <utility>

#include "simd.hpp"

namespace handgrad::HG_ISA {

typedef std::uint64_t Words __attribute__((vector_size(HG_BYTES), may_alias));
typedef std::uint32_t Singles __attribute__((vector_size(HG_BYTES), may_alias));
constexpr int word_lanes = HG_BYTES / 8;

struct Mask {
    std::uint64_t seed, threshold;
    std::uint32_t layer, step;
};

namespace detail {
// Products of 32-bit words in 64-bit lanes.
HG_INLINE Words product(Words a, std::uint64_t b) {
#if HG_BYTES == 64
    return (Words)_mm512_mul_epu32((__m512i)a, (__m512i)(Words{} + b));
#elif HG_BYTES == 32
    return (Words)_mm256_mul_epu32((__m256i)a, (__m256i)(Words{} + b));
#else
    return a * b;
#endif
}
template <std::size_t... I>
HG_INLINE Words alternate(Words a, Words b, int half, std::index_sequence<I...>) {
    if (half == 0) return __builtin_shufflevector(a, b, (I % 2 ? word_lanes + I / 2 : I / 2)...);
    return __builtin_shufflevector(a, b, ((I % 2 ? word_lanes + I / 2 : I / 2) + word_lanes / 2)...);
}
// a0 b0 a1 b1 ...: the first or the second half of it.
HG_INLINE Words alternate(Words a, Words b, int half) {
    return alternate(a, b, half, std::make_index_sequence<word_lanes>{});
}
}  // namespace detail

// kept[u] = 1 / keep or 0 for units [0, padded up to 4 * word_lanes) of one sample.
template <class T>
inline void draw_mask(const Mask& mask, std::int64_t sample, std::int64_t units, T kept, T* out) {
    constexpr std::uint64_t low = 0xFFFFFFFF;
    Words numbers{};
    for (int i = 0; i < word_lanes; ++i) numbers[i] = static_cast<std::uint64_t>(i);
    // as a word of 32 bits the threshold of keep = 1 would be 0
    const bool all_kept = mask.threshold > low;
    for (std::int64_t unit = 0; unit < units; unit += 4 * word_lanes) {
        Words c0 = numbers + static_cast<std::uint64_t>(unit / 4), c1{}, c2{}, c3{};
        c1 += static_cast<std::uint64_t>(sample);
        c2 += mask.layer;
        c3 += mask.step;
        std::uint64_t k0 = mask.seed & low, k1 = mask.seed >> 32;
#pragma GCC unroll 10
        for (int round = 0; round < 10; ++round) {
            const Words p0 = detail::product(c0, 0xD2511F53u), p1 = detail::product(c2, 0xCD9E8D57u);
            c0 = (p1 >> 32) ^ c1 ^ k0;
            c1 = p1 & low;
            c2 = (p0 >> 32) ^ c3 ^ k1;
            c3 = p0 & low;
            k0 = (k0 + 0x9E3779B9u) & low;
            k1 = (k1 + 0xBB67AE85u) & low;
        }
        // the words of a counter stand beside each other: unit, unit + 1, ...
        if constexpr (sizeof(T) == 4) {
            const Words left = c0 | c1 << 32, right = c2 | c3 << 32;
            const Singles threshold = Singles{} + static_cast<std::uint32_t>(mask.threshold);
            for (int half = 0; half < 2; ++half) {
                const auto words = reinterpret_cast<Singles>(detail::alternate(left, right, half));
                const Vec<T> drawn = words < threshold ? all<T>(kept) : Vec<T>{};
                store(out + unit + half * lanes<T>, all_kept ? all<T>(kept) : drawn);
            }
        } else {
            for (int half = 0; half < 2; ++half) {
                const Words even = detail::alternate(c0, c2, half), odd = detail::alternate(c1, c3, half);
                for (int part = 0; part < 2; ++part)
                    store(out + unit + (2 * half + part) * lanes<T>,
                          detail::alternate(even, odd, part) < mask.threshold ? all<T>(kept) : Vec<T>{});
            }
        }
    }
}

}  // namespace handgrad::HG_ISA
