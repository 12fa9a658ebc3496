// What to train, as plain numbers, and the one interface between the bindings and the kernels.
//
// This file is seen by the kernels, which are compiled once for each instruction set: it must hold no function of
// the standard library, whose copies the linker would merge across instruction sets.
#pragma once

#include <cstdint>

namespace handgrad {

// Every choice by name, once: the bindings export these lists, and Python says names.
#define HG_FUNCTIONS(X) \
    X(identity) X(sigmoid) X(tanh) X(relu) X(leaky_relu) X(elu) X(gelu) X(silu) X(softplus) X(softmax) X(step) \
    X(relu6) X(hard_sigmoid) X(selu) X(mish) X(exponential)
#define HG_LOSSES(X) X(none) X(squared_error) X(binary_cross_entropy) X(cross_entropy) X(huber) \
    X(absolute_error) X(hinge) X(poisson)
#define HG_RULES(X) X(sgd) X(velocity) X(heavy_ball) X(average) X(nesterov) X(rmsprop) X(adam) \
    X(adagrad) X(adadelta) X(nadam) X(lion)
#define HG_BIASES(X) X(trained) X(frozen) X(shared) X(none)
#define HG_L2_FORMS(X) X(half) X(half_mean) X(full)
#define HG_PATHS(X) X(automatic) X(tiny) X(sliced) X(tiled)
// Elementary functions on arrays, for the tests of their accuracy.
#define HG_ELEMENTARY(X) X(exp_negative) X(tanh) X(sigmoid) X(log) X(softplus) X(expm1_negative) X(normal_cdf) X(exp)

#define HG_ENUMERATOR(name) name,
enum class Fn : int { HG_FUNCTIONS(HG_ENUMERATOR) };
enum class LossKind : int { HG_LOSSES(HG_ENUMERATOR) };
enum class Rule : int { HG_RULES(HG_ENUMERATOR) };
enum class Bias : int { HG_BIASES(HG_ENUMERATOR) };
enum class L2Form : int { HG_L2_FORMS(HG_ENUMERATOR) };
enum class Path : int { HG_PATHS(HG_ENUMERATOR) };
enum class Elementary : int { HG_ELEMENTARY(HG_ENUMERATOR) };
#undef HG_ENUMERATOR

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

// The hyperparameters of all optimizers, by the names that they have in Python.
#define HG_CONSTANTS(X) X(momentum) X(decay) X(beta1) X(beta2) X(epsilon) X(weight_decay)
#define HG_FLAGS(X) X(epsilon_inside) X(amsgrad)

struct OptimizerPlan {
    Rule rule;
#define HG_MEMBER(name) double name;
    HG_CONSTANTS(HG_MEMBER)
#undef HG_MEMBER
#define HG_MEMBER(name) bool name;
    HG_FLAGS(HG_MEMBER)
#undef HG_MEMBER
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
    int gathered = 0;                       // columns of X that are categories, behind the numbers that layer 1 has
    const std::int64_t* counts = nullptr;   // how many categories each has
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
    std::int64_t epoch;  // rows after which batches begin anew
    const double* rates;
    std::int64_t steps, first_step;
    double* losses;
};
struct RunResult {
    std::int64_t steps;
    bool failed, interrupted;
};

// Rows that are predicted: of X, those that follow each other or those that `order` names.
struct ForwardRequest {
    const void* X;
    const void* Y;        // null: no loss is wanted
    const void* weights;  // by row number, with an order only; null: 1
    const std::int64_t* order;
    std::int64_t rows;
    void* out;
};
struct ForwardResult {
    double loss;        // of the data, without penalties
    bool finite, left;  // all inputs (of rows that follow each other) and outputs; whether it was interrupted
};

// A training or a prediction in one precision; all pointers are to arrays of that precision.
class Core {
  public:
    virtual ~Core();
    virtual std::int64_t bytes() const = 0;  // of the arena it needs
    virtual void settle(void* arena) = 0;    // 64-byte aligned and zero
    virtual void touch(Team&) = 0;           // each thread writes first what will be its own; before the first put
    virtual const char* path() const = 0;
    // slot 0 is the parameters, 1 to 3 the optimizer's memory.
    virtual void put(int layer, int slot, const void* W, const void* b) = 0;
    virtual void get(int layer, int slot, void* W, void* b) const = 0;
    // The rows of W[1]^T that belong to categories, (categories of all columns, units).
    virtual void put_rows(int slot, const void* rows) = 0;
    virtual void get_rows(int slot, void* rows) const = 0;
    virtual void ready() = 0;  // after the last put
    // weights: by which the losses of the rows count; null for 1.
    virtual void data(const void* X, const void* Y, const void* weights) = 0;
    virtual RunResult run(const RunRequest&, Team&, Watch&) = 0;
    virtual ForwardResult predict(const ForwardRequest&, Team&, Watch&) = 0;
};

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
