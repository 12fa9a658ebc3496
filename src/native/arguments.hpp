// What a caller may hand to the core, judged once at the boundary: behind it sizes fit each other and into memory.
#pragma once

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "plan.hpp"

namespace handgrad {

constexpr int most_threads = 4096;
constexpr std::int64_t most_categories = std::int64_t{1} << 24;  // float32 holds every whole number up to here
constexpr std::int64_t most_rows = std::int64_t{1} << 62;  // of an epoch
constexpr std::int64_t most_units = std::int64_t{1} << 31;  // of a layer, and rows of a batch

// A size that is counted in checked arithmetic: one that does not fit is remembered, and refused at the end.
class Size {
  public:
    constexpr Size(std::int64_t value) : value_(value), fits_(value >= 0) {}
    Size operator+(Size other) const { return made(__builtin_add_overflow(value_, other.value_, &other.value_), other); }
    Size operator*(Size other) const { return made(__builtin_mul_overflow(value_, other.value_, &other.value_), other); }
    bool fits_below(std::int64_t most) const { return fits_ && value_ <= most; }

  private:
    Size made(bool overflowed, Size result) const {
        result.fits_ = result.fits_ && fits_ && !overflowed;
        return result;
    }
    std::int64_t value_;
    bool fits_;
};

inline void require(bool holds, const std::string& expected) {
    if (!holds) throw std::invalid_argument("the native core needs " + expected);
}

// Slots of memory that a rule keeps for each parameter, at most 3.
inline int least_slots(const OptimizerPlan& optimizer) {
    switch (optimizer.rule) {
        case Rule::sgd: return 0;
        case Rule::adam: return optimizer.amsgrad ? 3 : 2;
        case Rule::adadelta:
        case Rule::nadam: return 2;
        default: return 1;
    }
}

// An upper bound of the arena, generous: weights, their turned copies and slots, a gradient and a batch for each thread.
inline bool fits_into_memory(const Plan& plan) {
    Size parameters = 0, widths = 0;
    for (int l = 0; l < plan.depth; ++l) {
        const LayerPlan& layer = plan.layers[l];
        const Size inputs = Size(layer.inputs) + 64, units = Size(layer.units) + 64;  // padded to panels
        parameters = parameters + inputs * units + units;
        widths = widths + inputs + units;
    }
    for (int j = 0; j < plan.gathered; ++j)
        parameters = parameters + Size(plan.counts[j]) * (Size(plan.layers[0].units) + 64);
    const Size batch = Size(plan.largest_batch) + 64, threads = Size(plan.threads) + 2;
    const Size sums = threads * 14;  // gradients that the threads hold of a tree over 64 slices
    const Size numbers = parameters * (sums + 8) + widths * (batch + 4096) * 4 * threads;
    return (numbers * 16).fits_below(std::numeric_limits<std::int64_t>::max() / 4);
}

inline void check_plan(const Plan& plan) {
    require(plan.depth >= 1 && plan.depth <= 10'000, "1 to 10,000 layers");
    require(plan.threads >= 1 && plan.threads <= most_threads, "1 to 4,096 threads");
    require(plan.largest_batch >= 1 && plan.largest_batch <= most_units, "a largest batch of 1 to 2^31 rows");
    for (int l = 0; l < plan.depth; ++l) {
        const LayerPlan& layer = plan.layers[l];
        const std::string place = "layer " + std::to_string(l + 1);
        const std::int64_t fewest = l == 0 && plan.gathered ? 0 : 1;
        require(layer.inputs >= fewest && layer.inputs <= most_units && layer.units >= 1 && layer.units <= most_units,
                "1 to 2^31 inputs and units in " + place);
        require(l == 0 || layer.inputs == plan.layers[l - 1].units,
                "as many inputs in " + place + " as the layer before it has units");
        require(layer.keep > 0 && layer.keep <= 1, "a part to keep, 0 < keep <= 1, in " + place);
    }
    Size categories = 0;
    for (int j = 0; j < plan.gathered; ++j) {
        require(plan.counts[j] >= 1 && plan.counts[j] <= most_categories, "1 to 2^24 categories in a column");
        categories = categories + Size(plan.counts[j]);
    }
    require(categories.fits_below(most_units - 1) && (Size(plan.largest_batch) * plan.gathered).fits_below(most_units - 1),
            "fewer than 2^31 categories, and numbers of them in a batch");
    require(plan.optimizer.slots >= least_slots(plan.optimizer) && plan.optimizer.slots <= 3,
            "as many slots as the optimizer keeps, at most 3");
    require(plan.predict_only || plan.loss.kind != LossKind::none, "a loss, or predict_only");
    if (!fits_into_memory(plan)) throw std::length_error("the network and its batch are larger than any memory");
}

inline void check_run(const Plan& plan, const RunRequest& request, std::int64_t rows) {
    require(!plan.predict_only, "a session that was not made for prediction only");
    require(rows > 0, "data before a run");
    require(request.batch >= 1 && request.batch <= plan.largest_batch, "a batch that is not larger than was planned");
    require(request.epoch >= 1, "epochs of at least one row");
    const auto batches = [&](std::int64_t count) { return count / request.batch + (count % request.batch != 0); };
    require(request.steps <= request.count / request.epoch * batches(request.epoch) + batches(request.count % request.epoch),
            "not more steps than batches");
    require(request.first_step >= 1 && request.first_step <= std::numeric_limits<std::int64_t>::max() - request.steps,
            "steps that are counted from 1");
}

}  // namespace handgrad
