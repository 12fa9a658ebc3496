#include "isa.hpp"

#include <cstdlib>
#include <stdexcept>

namespace handgrad {

Watch::~Watch() = default;
Team::~Team() = default;
Core::~Core() = default;

namespace {

struct Copy {
    const char* name;
    bool (*runs)();
    Core* (*make)(const Plan&, bool);
    void (*evaluate)(Elementary, const void*, void*, std::int64_t, bool);
};

// Best first.
constexpr Copy copies[] = {
#ifdef HG_X86
    {"avx512",
     [] {
         return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("fma");
     },
     avx512::make_core, avx512::evaluate},
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, avx2::make_core,
     avx2::evaluate},
#endif
    {"portable", [] { return true; }, portable::make_core, portable::evaluate},
};

const Copy& chosen() {
    const char* wish = std::getenv("HANDGRAD_ISA");
    const bool wished = wish != nullptr && *wish != '\0';
    for (const Copy& copy : copies) {
        if (wished && std::string(copy.name) != wish) continue;
        if (copy.runs()) return copy;
        if (wished) throw std::invalid_argument(std::string("HANDGRAD_ISA=") + wish + ": this machine has not these instructions");
    }
    throw std::invalid_argument(std::string("HANDGRAD_ISA=") + wish + " is not known; choose avx512, avx2 or portable");
}

}  // namespace

std::string chosen_isa() { return chosen().name; }
Core* make_core(const Plan& plan, bool float64) { return chosen().make(plan, float64); }
void evaluate(Elementary function, const void* x, void* y, std::int64_t count, bool float64) {
    chosen().evaluate(function, x, y, count, float64);
}

}  // namespace handgrad
