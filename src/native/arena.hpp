// All memory of a training in one block: the layout is walked once to count, once to hand out.
#pragma once

#include <cstdint>

#include "simd.hpp"

namespace handgrad::HG_ISA {

class Arena {
  public:
    explicit Arena(void* base) : base_(static_cast<char*>(base)) {}

    template <class E>
    E* take(std::int64_t count) {
        const std::int64_t at = used_;
        used_ += (count * static_cast<std::int64_t>(sizeof(E)) + 63) / 64 * 64;
        return base_ ? reinterpret_cast<E*>(base_ + at) : nullptr;
    }
    std::int64_t used() const { return used_; }

  private:
    char* base_;
    std::int64_t used_ = 0;
};

}  // namespace handgrad::HG_ISA
