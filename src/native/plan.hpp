// What to train, as plain numbers, and the one interface between the bindings and the kernels.
//
// This file is seen by the kernels, which are compiled once for each instruction set: it must hold no function of
// the standard library, whose copies the linker would merge across instruction sets.
#pragma once

#include <cstdint>

namespace handgrad {

enum class Fn : int { identity, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, softplus, softmax, step };
enum class LossKind : int { none, squared_error, binary_cross_entropy, cross_entropy, huber };
enum class Rule : int { sgd, velocity, heavy_ball, average, nesterov, rmsprop, adam };
enum class Bias : int { trained, frozen, shared, none };
enum class L2Form : int { half, half_mean, full };
enum class Path : int { automatic, tiny, sliced, tiled };

struct LayerPlan {
    std::int64_t inputs, units;
    Fn function;
    double alpha;
    Bias bias;
    bool dropout;
    double keep;
};

struct LossPlan {
    LossKind kind;
    double scale;
    bool mean_outputs, mean_samples;
    double threshold;
};

struct OptimizerPlan {
    Rule rule;
    double momentum, decay, beta1, beta2, epsilon, weight_decay;
    bool epsilon_inside, amsgrad;
    int slots;
};

struct Plan {
    int depth;
    const LayerPlan* layers;
    LossPlan loss;
    OptimizerPlan optimizer;
    double l1, l2;
    L2Form l2_form;
    double clip_value, clip_norm;  // 0: none
    std::uint64_t seed;
    int threads;  // at least 1
    Path path;
    std::int64_t largest_batch;
    bool predict_only;
};

// Asked between steps and within long ones, by the calling thread only.
class Watch {
  public:
    virtual ~Watch();
    // True where the training must be left at once (Ctrl-C); cheap, may be asked often.
    virtual bool interrupted() = 0;
    // Asked after steps, at least every 50 ms: true where it shall end here.
    virtual bool stop() = 0;
    // True once 50 ms have gone by since stop() was last asked.
    virtual bool due() = 0;
};

// Threads that work together; the caller is number 0.
class Team {
  public:
    using Job = void (*)(void* context, int thread);
    virtual ~Team();
    virtual void run(Job job, void* context) = 0;
    // Waits until all threads of the team have come here.
    virtual void meet(int thread) = 0;
    virtual int size() const = 0;
};

struct RunRequest {
    const std::int64_t* order;
    std::int64_t count, batch;
    const double* rates;
    std::int64_t steps, first_step;
    double* losses;
};
struct RunResult {
    std::int64_t steps;
    bool failed, interrupted;
};

// A training or a prediction in one precision; all pointers are to arrays of that precision.
class Core {
  public:
    virtual ~Core();
    virtual std::int64_t bytes() const = 0;  // of the arena it needs
    virtual void settle(void* arena) = 0;    // 64-byte aligned and zero
    virtual const char* path() const = 0;
    // slot 0 is the parameters, 1 to 3 the optimizer's memory.
    virtual void put(int layer, int slot, const void* W, const void* b) = 0;
    virtual void get(int layer, int slot, void* W, void* b) const = 0;
    virtual void ready() = 0;  // after the last put
    virtual void data(const void* X, const void* Y) = 0;
    virtual RunResult run(const RunRequest&, Team&, Watch&) = 0;
    virtual bool predict(const void* X, std::int64_t rows, void* out, Team&, Watch&) = 0;
};

// Elementary functions on arrays, for the tests of their accuracy.
enum class Elementary : int { exp_negative, tanh, sigmoid, log, softplus, expm1_negative, normal_cdf };

#define HG_DECLARE(isa)                                                                            \
    namespace isa {                                                                                \
    Core* make_core(const Plan& plan, bool float64);                                               \
    void evaluate(Elementary function, const void* x, void* y, std::int64_t count, bool float64); \
    }
HG_DECLARE(portable)
HG_DECLARE(avx2)
HG_DECLARE(avx512)
#undef HG_DECLARE

}  // namespace handgrad
