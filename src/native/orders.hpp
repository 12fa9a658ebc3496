// NumPy's default_rng([seed, epoch]).permutation(rows), for many epochs at once.
//
// The sequence is NumPy's own (numpy/random: SeedSequence after O'Neill's seed_seq_fe, PCG64 = PCG XSL RR 128/64,
// bounded integers by masks, Fisher and Yates' shuffle); the caller compares a few with NumPy before it relies on them.
#pragma once

#include <cstdint>

namespace handgrad {

class EpochGenerator {
  public:
    EpochGenerator(std::uint64_t seed, std::uint64_t epoch) {
        std::uint32_t entropy[4] = {}, state[8];
        int words = 0;
        for (std::uint64_t number : {seed, epoch}) {
            do {
                entropy[words++] = static_cast<std::uint32_t>(number);
                number >>= 32;
            } while (number != 0);
        }
        mix_entropy(entropy);
        std::uint32_t constant = 0x8b51f9dd;
        for (int i = 0; i < 8; ++i) {
            std::uint32_t value = pool_[i % 4] ^ constant;
            constant *= 0x58f38ded;
            value *= constant;
            state[i] = value ^ value >> 16;
        }
        const auto pair = [&](int i) { return static_cast<std::uint64_t>(state[i + 1]) << 32 | state[i]; };
        const Wide start = Wide{pair(0)} << 64 | pair(2), stream = Wide{pair(4)} << 64 | pair(6);
        increment_ = stream << 1 | 1;
        advance();
        state_ += start;
        advance();
    }

    void shuffle(std::int64_t* rows, std::int64_t count) {
        for (std::int64_t i = count - 1; i > 0; --i) {
            const auto j = static_cast<std::int64_t>(up_to(static_cast<std::uint32_t>(i)));
            const std::int64_t kept = rows[j];
            rows[j] = rows[i];
            rows[i] = kept;
        }
    }

  private:
    __extension__ typedef unsigned __int128 Wide;

    static std::uint32_t hashed(std::uint32_t value, std::uint32_t& constant) {
        value ^= constant;
        constant *= 0x931e8875;
        value *= constant;
        return value ^ value >> 16;
    }
    void mix_entropy(const std::uint32_t (&entropy)[4]) {
        std::uint32_t constant = 0x43b0d7e5;
        for (int i = 0; i < 4; ++i) pool_[i] = hashed(entropy[i], constant);
        for (int from = 0; from < 4; ++from)
            for (int to = 0; to < 4; ++to) {
                if (from == to) continue;
                const std::uint32_t mixed = 0xca01f9ddu * pool_[to] - 0x4973f715u * hashed(pool_[from], constant);
                pool_[to] = mixed ^ mixed >> 16;
            }
    }

    void advance() {
        constexpr Wide multiplier = Wide{2549297995355413924ULL} << 64 | 4865540595714422341ULL;
        state_ = state_ * multiplier + increment_;
    }
    std::uint32_t next() {
        if (has_half_) {
            has_half_ = false;
            return half_;
        }
        advance();
        const auto folded = static_cast<std::uint64_t>(state_ >> 64) ^ static_cast<std::uint64_t>(state_);
        const auto turn = static_cast<unsigned>(state_ >> 122);
        const std::uint64_t word = folded >> turn | folded << (-turn & 63);
        half_ = static_cast<std::uint32_t>(word >> 32);
        has_half_ = true;
        return static_cast<std::uint32_t>(word);
    }
    // A number up to `most`, each as likely as the others: bits until they are none too large.
    std::uint32_t up_to(std::uint32_t most) {
        const std::uint32_t mask = ~std::uint32_t{0} >> __builtin_clz(most);
        std::uint32_t number = next() & mask;
        while (number > most) number = next() & mask;
        return number;
    }

    std::uint32_t pool_[4];
    Wide state_ = 0, increment_ = 0;
    std::uint32_t half_ = 0;
    bool has_half_ = false;
};

}  // namespace handgrad
