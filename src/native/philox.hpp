// Dropout masks: Philox4x32-10 (J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011).
//
// counter = (unit / 4, sample in the batch, layer, step), key = the 64-bit seed; a unit is kept where word unit % 4
// is below keep * 2^32. The same bits as handgrad.nn.dropout.
#pragma once

#include "simd.hpp"

namespace handgrad::HG_ISA {

typedef std::uint64_t Words __attribute__((vector_size(HG_BYTES), may_alias));
constexpr int word_lanes = HG_BYTES / 8;

struct Mask {
    std::uint64_t seed, threshold;
    std::uint32_t layer, step;
};

// kept[u] = 1 / keep or 0 for units [0, padded up to 4 * word_lanes) of one sample.
template <class T>
inline void draw_mask(const Mask& mask, std::int64_t sample, std::int64_t units, T kept, T* out) {
    constexpr std::uint64_t low = 0xFFFFFFFF;
    for (std::int64_t unit = 0; unit < units; unit += 4 * word_lanes) {
        Words c0{}, c1{}, c2{}, c3{};
        for (int i = 0; i < word_lanes; ++i) c0[i] = static_cast<std::uint64_t>(unit / 4 + i);
        c1 += static_cast<std::uint64_t>(sample);
        c2 += mask.layer;
        c3 += mask.step;
        std::uint64_t k0 = mask.seed & low, k1 = mask.seed >> 32;
        for (int round = 0; round < 10; ++round) {
            const Words p0 = c0 * 0xD2511F53u, p1 = c2 * 0xCD9E8D57u;
            c0 = (p1 >> 32) ^ c1 ^ k0;
            c1 = p1 & low;
            c2 = (p0 >> 32) ^ c3 ^ k1;
            c3 = p0 & low;
            k0 = (k0 + 0x9E3779B9u) & low;
            k1 = (k1 + 0xBB67AE85u) & low;
        }
        for (int i = 0; i < word_lanes; ++i) {
            out[unit + 4 * i] = c0[i] < mask.threshold ? kept : 0;
            out[unit + 4 * i + 1] = c1[i] < mask.threshold ? kept : 0;
            out[unit + 4 * i + 2] = c2[i] < mask.threshold ? kept : 0;
            out[unit + 4 * i + 3] = c3[i] < mask.threshold ? kept : 0;
        }
    }
}

}  // namespace handgrad::HG_ISA
