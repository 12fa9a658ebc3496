// Drives the native core without Python, for the sanitizers: all instruction sets, paths, precisions, rules, several
// teams at once. Arrays are allocated to the byte, so that reading past an end is seen. Ends with 1 where the losses
// of two ways to the same training differ.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "isa.hpp"
#include "pool.hpp"

using namespace handgrad;

namespace {

class NoWatch final : public Watch {
  public:
    bool interrupted() override { return false; }
    bool stop() override { return false; }
    bool due() override { return false; }
};

struct Free {
    void operator()(void* p) const { std::free(p); }
};

struct Net {
    std::vector<std::int64_t> sizes;
    Fn hidden, output;
    LossKind loss;
    Bias bias;
    double keep;
    std::vector<std::int64_t> counts = {};  // of the categories of columns behind the numbers
    std::int64_t rows = 75, batch = 33;
};

template <class T>
std::unique_ptr<T[]> numbers(std::int64_t count, unsigned seed, double scale) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<double> draw(-scale, scale);
    auto values = std::make_unique<T[]>(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = static_cast<T>(draw(generator));
    return values;
}

template <class T>
double train(const Net& net, Rule rule, Path path, int threads, double clip_norm, double l1) {
    std::vector<LayerPlan> layers;
    for (std::size_t l = 1; l < net.sizes.size(); ++l) {
        const bool last = l + 1 == net.sizes.size();
        layers.push_back({net.sizes[l - 1], net.sizes[l], last ? net.output : net.hidden, 0.1, last ? Bias::trained : net.bias,
                          !last && net.keep < 1, last ? 1.0 : net.keep});
    }
    const bool two = rule == Rule::adadelta || rule == Rule::nadam;
    const int slots = rule == Rule::adam ? 3 : two ? 2 : rule == Rule::sgd ? 0 : 1;
    Plan plan{};
    plan.depth = static_cast<int>(layers.size());
    plan.layers = layers.data();
    plan.loss = {net.loss, 1.0, false, true, 0.5};
    plan.optimizer = {rule, 0.9, 0.9, 0.9, 0.999, 1e-8, 0.01, false, rule == Rule::adam, slots};
    plan.l1 = l1;
    plan.l2 = l1;
    plan.clip_value = l1 > 0 ? 0.5 : 0;
    plan.clip_norm = clip_norm;
    plan.seed = 0x123456789abcdefULL;
    plan.threads = threads;
    plan.path = path;
    const std::int64_t rows = net.rows, batch = net.batch;
    plan.largest_batch = batch;
    plan.gathered = static_cast<int>(net.counts.size());
    plan.counts = net.counts.data();
    std::int64_t categories = 0;
    for (const std::int64_t count : net.counts) categories += count;
    const std::int64_t columns = net.sizes.front() + plan.gathered;
    const bool float64 = sizeof(T) == 8;
    double loss = 0;
    for (const bool predict_only : {false, true}) {
        plan.predict_only = predict_only;
        const std::unique_ptr<Core> core(make_core(plan, float64));
        const auto bytes = static_cast<std::size_t>(core->bytes());
        const std::unique_ptr<void, Free> memory(std::aligned_alloc(64, bytes));
        std::fill_n(static_cast<char*>(memory.get()), bytes, '\0');
        core->settle(memory.get());
        core->touch(*lease_team(threads));
        for (int l = 1; l <= plan.depth; ++l) {
            const LayerPlan& layer = layers[static_cast<std::size_t>(l - 1)];
            const auto W = numbers<T>(layer.inputs * layer.units, static_cast<unsigned>(l), 0.5);
            const auto b = numbers<T>(layer.units, 77, 0.0);
            core->put(l, 0, W.get(), b.get());
        }
        const auto table = numbers<T>(categories * net.sizes[1], 4, 0.5);
        if (plan.gathered) core->put_rows(0, table.get());
        core->ready();
        const auto X = numbers<T>(rows * columns, 5, 1.0);
        for (std::int64_t i = 0; i < rows; ++i)  // also one that is none, and one behind the last
            for (int j = 0; j < plan.gathered; ++j)
                X[static_cast<std::size_t>(i * columns + net.sizes.front() + j)] = static_cast<T>(i * 5 % (net.counts[static_cast<std::size_t>(j)] + 2) - 1);
        auto Y = numbers<T>(rows * net.sizes.back(), 6, 0.5);
        for (std::int64_t i = 0; i < rows * net.sizes.back(); ++i) Y[static_cast<std::size_t>(i)] += static_cast<T>(0.5);
        NoWatch watch;
        const auto team = lease_team(threads);
        if (predict_only) {
            const auto out = std::make_unique<T[]>(static_cast<std::size_t>(rows * net.sizes.back()));
            core->predict({X.get(), nullptr, nullptr, nullptr, rows, out.get()}, *team, watch);
            const double whole = core->predict({X.get(), Y.get(), nullptr, nullptr, rows, out.get()}, *team, watch).loss;
            std::vector<std::int64_t> all;
            for (std::int64_t i = 0; i < rows; ++i) all.push_back(i);
            const double named = core->predict({X.get(), Y.get(), nullptr, all.data(), rows, out.get()}, *team, watch).loss;
            if (std::abs(whole - named) > 1e-5 * (1 + std::abs(whole))) std::printf("scores differ: %g %g\n", whole, named);
            continue;
        }
        auto weights = numbers<T>(rows, 8, 0.5);
        for (std::int64_t i = 0; i < rows; ++i) weights[static_cast<std::size_t>(i)] += static_cast<T>(0.75);
        core->data(X.get(), Y.get(), clip_norm > 0 ? weights.get() : nullptr);
        std::vector<std::int64_t> order;
        for (std::int64_t i = 0; i < 4 * rows; ++i) order.push_back(i * 7 % rows);
        const std::vector<double> rates(9, 0.01);
        std::vector<double> losses(9);
        const auto count = static_cast<std::int64_t>(order.size());
        const RunRequest request{order.data(), count, batch, rows, rates.data(), 9, 1, losses.data()};
        const RunResult result = core->run(request, *team, watch);
        if (result.failed || result.steps != 9) std::printf("a run failed after %lld steps\n", static_cast<long long>(result.steps));
        loss = losses.back();
        const auto out = std::make_unique<T[]>(static_cast<std::size_t>(rows * net.sizes.back()));
        core->predict({X.get(), Y.get(), nullptr, nullptr, rows, out.get()}, *team, watch);
        for (int l = 1; l <= plan.depth; ++l) {
            const LayerPlan& layer = layers[static_cast<std::size_t>(l - 1)];
            const auto W = std::make_unique<T[]>(static_cast<std::size_t>(layer.inputs * layer.units));
            const auto b = std::make_unique<T[]>(static_cast<std::size_t>(layer.units));
            for (int slot = 0; slot <= slots; ++slot) core->get(l, slot, W.get(), b.get());
        }
        if (plan.gathered)
            for (int slot = 0; slot <= slots; ++slot) core->get_rows(slot, table.get());
    }
    return loss;
}

bool agree(double left, double right, double bar, const char* what) {
    if (std::abs(left - right) <= bar * (1 + std::abs(left))) return true;
    std::printf("%s: losses %.12g and %.12g\n", what, left, right);
    return false;
}

bool exercise(const std::vector<int>& teams) {
    const std::vector<Net> nets = {
        {{2, 2, 1}, Fn::sigmoid, Fn::sigmoid, LossKind::binary_cross_entropy, Bias::trained, 1.0},
        {{5, 40, 3, 20, 3}, Fn::tanh, Fn::softmax, LossKind::cross_entropy, Bias::shared, 0.8},
        {{37, 17, 33, 19}, Fn::gelu, Fn::identity, LossKind::squared_error, Bias::frozen, 1.0},
        {{3, 9, 1}, Fn::softmax, Fn::identity, LossKind::huber, Bias::trained, 0.7},
        {{70, 64, 34}, Fn::elu, Fn::softplus, LossKind::squared_error, Bias::none, 0.9},
        {{4, 1}, Fn::relu, Fn::sigmoid, LossKind::cross_entropy, Bias::trained, 1.0},
        {{5, 40, 3}, Fn::mish, Fn::identity, LossKind::absolute_error, Bias::trained, 0.8},
        {{3, 9, 2}, Fn::relu6, Fn::hard_sigmoid, LossKind::hinge, Bias::trained, 1.0},
        {{17, 33, 1}, Fn::selu, Fn::softplus, LossKind::poisson, Bias::shared, 1.0},
        {{6, 5, 4}, Fn::hard_sigmoid, Fn::exponential, LossKind::poisson, Bias::none, 0.9},
        {{9, 20, 3}, Fn::silu, Fn::leaky_relu, LossKind::huber, Bias::trained, 1.0},
        {{4, 18, 2}, Fn::step, Fn::sigmoid, LossKind::binary_cross_entropy, Bias::shared, 0.8},
        {{5, 40, 3}, Fn::tanh, Fn::softmax, LossKind::cross_entropy, Bias::trained, 0.8, {11, 300}},
        {{0, 33, 5, 1}, Fn::gelu, Fn::sigmoid, LossKind::binary_cross_entropy, Bias::trained, 1.0, {40}},
        {{9, 2}, Fn::relu, Fn::identity, LossKind::squared_error, Bias::trained, 1.0, {7}},
        // a batch of several slices, added up by a tree
        {{30, 40, 3}, Fn::relu, Fn::softmax, LossKind::cross_entropy, Bias::trained, 0.9, {}, 900, 400},
    };
    const Rule rules[] = {Rule::sgd, Rule::adam, Rule::nesterov, Rule::rmsprop, Rule::heavy_ball,
                          Rule::velocity, Rule::adagrad, Rule::adadelta, Rule::nadam, Rule::lion};
    bool good = true;
    int turn = 0;
    for (const Net& net : nets) {
        const Rule rule = rules[turn % 10];
        const double norm = turn % 3 == 1 ? 0.3 : 0, l1 = turn % 2 ? 0.01 : 0;
        const double expected = train<double>(net, rule, Path::sliced, 1, norm, l1);
        for (const Path path : {Path::tiny, Path::sliced, Path::tiled})
            for (const int threads : teams) {
                const double wide = train<double>(net, rule, path, threads, norm, l1);
                const double narrow = train<float>(net, rule, path, threads, norm, l1);
                good &= agree(expected, wide, 1e-10, "float64");
                good &= agree(expected, narrow, 1e-3, "float32");
                good &= agree(wide, train<double>(net, rule, path, 1, norm, l1), 0, "float64 on one thread");
                good &= agree(narrow, train<float>(net, rule, path, 1, norm, l1), 0, "float32 on one thread");
            }
        ++turn;
    }
    return good;
}

}  // namespace

int main(int count, char** isas) {
    bool good = true;
    for (int i = 1; i < count; ++i) {
        setenv("HANDGRAD_ISA", isas[i], 1);
        std::printf("%s\n", chosen_isa().c_str());
        good &= exercise({2, 3});
        bool left = true, right = true;
        std::thread other([&] { left = exercise({2}); });
        right = exercise({2});
        other.join();
        good &= left && right;
    }
    return good ? 0 : 1;
}
