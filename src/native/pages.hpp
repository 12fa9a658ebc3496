// The memory of a session, from the operating system.
#pragma once

#include <cstdint>
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
#ifdef __linux__
        if (unit == large) {
            // fresh pages are zero, and nobody has touched them yet
            mapped_ = bytes + large;
            block_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (block_ == MAP_FAILED) throw std::bad_alloc();
            start_ = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(block_) + large - 1) / large * large);
            madvise(start_, bytes, MADV_HUGEPAGE);  // a wish: without it everything works as well
            return;
        }
#endif
        start_ = block_ = std::aligned_alloc(unit, bytes);
        if (start_ == nullptr) throw std::bad_alloc();
        std::memset(start_, 0, bytes);
    }
    ~Memory() {
#ifdef __linux__
        if (mapped_ > 0) {
            munmap(block_, mapped_);
            return;
        }
#endif
        std::free(block_);
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    void* start() const { return start_; }
    bool is_large() const { return mapped_ > 0; }

  private:
    void *start_ = nullptr, *block_ = nullptr;
    std::size_t mapped_ = 0;
};

}  // namespace handgrad
