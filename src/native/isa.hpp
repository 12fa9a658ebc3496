// Which copy of the kernels runs on this machine.
#pragma once

#include <string>

#include "plan.hpp"

namespace handgrad {

// "avx512", "avx2" or "portable": HANDGRAD_ISA where it is set (std::invalid_argument for a name that is not
// known or that this machine cannot run), else the best one.
std::string chosen_isa();

Core* make_core(const Plan& plan, bool float64);
void evaluate(Elementary function, const void* x, void* y, std::int64_t count, bool float64);

}  // namespace handgrad
