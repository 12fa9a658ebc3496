// The memory under an arena, from the system.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace handgrad {

// The arena: zero, on a cache line, and on large pages where it is large (fewer address translations in the products).
class Memory {
  public:
    explicit Memory(std::size_t bytes) {
        constexpr std::size_t page = 4096, large = std::size_t{2} << 20;
        const std::size_t unit = bytes >= 2 * large ? large : page;
        bytes = (bytes + unit - 1) / unit * unit;
        start_ = std::aligned_alloc(unit, bytes);
        if (start_ == nullptr) throw std::bad_alloc();
#ifdef __linux__
        if (unit == large) madvise(start_, bytes, MADV_HUGEPAGE);  // a wish: without it everything works as well
#endif
        std::memset(start_, 0, bytes);
    }
    ~Memory() { std::free(start_); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    void* start() const { return start_; }

  private:
    void* start_ = nullptr;
};

}  // namespace handgrad
