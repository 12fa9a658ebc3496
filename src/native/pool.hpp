// Threads of our own: leased for one run, kept for the next, never more than asked for.
#pragma once

#include <memory>

#include "plan.hpp"

namespace handgrad {

// CPUs that the calling thread may run on.
int allowed_cpus();

// A team of `size` threads, the caller among them. It is the caller's until it is destroyed.
std::unique_ptr<Team> lease_team(int size);

}  // namespace handgrad
