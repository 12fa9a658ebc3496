// The Python module handgrad._native: plain numbers and arrays in, plain numbers and arrays out.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>

#include "arguments.hpp"
#include "isa.hpp"
#include "orders.hpp"
#include "pages.hpp"
#include "pool.hpp"

namespace nb = nanobind;

namespace handgrad {
namespace {

using Array = nb::ndarray<nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using ReadOnly = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

using LayerTuple = std::tuple<std::int64_t, std::int64_t, std::string, double, std::string, bool, double>;
using LossTuple = std::tuple<std::string, double, bool, bool, double>;
using OptimizerTuple = std::tuple<std::string, std::map<std::string, double>, int>;

// The choices of plan.hpp by name.
#define HG_NAME(name) #name,
constexpr const char* functions[] = {HG_FUNCTIONS(HG_NAME)};
constexpr const char* losses[] = {HG_LOSSES(HG_NAME)};
constexpr const char* rules[] = {HG_RULES(HG_NAME)};
constexpr const char* biases[] = {HG_BIASES(HG_NAME)};
constexpr const char* l2_forms[] = {HG_L2_FORMS(HG_NAME)};
constexpr const char* paths[] = {HG_PATHS(HG_NAME)};
constexpr const char* elementary[] = {HG_ELEMENTARY(HG_NAME)};
#undef HG_NAME

template <class Choice, std::size_t N>
Choice named(const char* const (&names)[N], const std::string& name) {
    for (std::size_t i = 0; i < N; ++i)
        if (name == names[i]) return static_cast<Choice>(i);
    throw std::invalid_argument("the native core does not know " + name);
}

template <std::size_t N>
nb::tuple listed(const char* const (&names)[N]) {
    nb::list list;
    for (const char* name : names) list.append(name);
    return nb::tuple(list);
}

OptimizerPlan optimizer_plan(const OptimizerTuple& optimizer) {
    const auto& [rule, numbers, slots] = optimizer;
    OptimizerPlan plan{};
    plan.rule = named<Rule>(rules, rule);
    plan.slots = slots;
    for (const auto& [name, value] : numbers) {
#define HG_TAKE(constant) if (name == #constant) { plan.constant = value; continue; }
        HG_CONSTANTS(HG_TAKE)
#undef HG_TAKE
#define HG_TAKE(flag) if (name == #flag) { plan.flag = value != 0; continue; }
        HG_FLAGS(HG_TAKE)
#undef HG_TAKE
        throw std::invalid_argument("the native core does not know the hyperparameter " + name);
    }
    return plan;
}

// Lets Python in every 50 ms: signals first, then the caller's own wish to stop.
class PythonWatch final : public Watch {
  public:
    explicit PythonWatch(nb::object stop) : stop_(std::move(stop)) {}

    bool interrupted() override {
        if (raised_ || left_) return true;
        const auto now = Clock::now();
        if (now - signals_seen_ < interval) return false;
        signals_seen_ = now;
        const nb::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) keep_error();
        // a step may be long: the wish to stop leaves it in its middle, and it is not applied
        if (!raised_ && due()) stop();
        return raised_ != nullptr || left_;
    }
    bool due() override { return Clock::now() - stop_asked_ >= interval; }
    bool stop() override {
        if (left_) return true;  // said once, it is not asked again
        stop_asked_ = Clock::now();
        if (stop_.is_none()) return false;
        const nb::gil_scoped_acquire gil;
        try {
            left_ = nb::cast<bool>(stop_());
            return left_;
        } catch (...) {
            raised_ = std::current_exception();
            return true;
        }
    }
    void rethrow() const {
        if (raised_) std::rethrow_exception(raised_);
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr auto interval = std::chrono::milliseconds(50);

    void keep_error() {
        try {
            throw nb::python_error();
        } catch (...) {
            raised_ = std::current_exception();
        }
    }

    nb::object stop_;
    std::exception_ptr raised_;
    bool left_ = false;
    Clock::time_point signals_seen_ = Clock::now(), stop_asked_ = Clock::now();
};

class Session {
  public:
    Session(bool float64, const std::vector<LayerTuple>& layers, const LossTuple& loss,
            const OptimizerTuple& optimizer, const std::tuple<double, double, std::string>& penalties,
            std::tuple<double, double> clipping, std::uint64_t seed, int threads, const std::string& path,
            std::int64_t largest_batch, bool predict_only, const std::vector<std::int64_t>& gathered)
        : float64_(float64), counts_(gathered) {
        for (const auto& [inputs, units, function, alpha, bias, dropout, keep] : layers)
            layers_.push_back({inputs, units, named<Fn>(functions, function), alpha, named<Bias>(biases, bias), dropout, keep});
        plan_.depth = static_cast<int>(layers_.size());
        plan_.layers = layers_.data();
        plan_.loss = {named<LossKind>(losses, std::get<0>(loss)), std::get<1>(loss), std::get<2>(loss), std::get<3>(loss),
                      std::get<4>(loss)};
        plan_.optimizer = optimizer_plan(optimizer);
        plan_.l2 = std::get<0>(penalties);
        plan_.l1 = std::get<1>(penalties);
        plan_.l2_form = named<L2Form>(l2_forms, std::get<2>(penalties));
        plan_.clip_value = std::get<0>(clipping);
        plan_.clip_norm = std::get<1>(clipping);
        plan_.seed = seed;
        plan_.threads = threads;
        plan_.path = named<Path>(paths, path);
        plan_.largest_batch = largest_batch;
        plan_.predict_only = predict_only;
        require(counts_.size() <= static_cast<std::size_t>(most_units), "fewer columns of categories");
        plan_.gathered = static_cast<int>(counts_.size());
        plan_.counts = counts_.data();
        check_plan(plan_);
        core_.reset(make_core(plan_, float64));
        memory_ = std::make_unique<Memory>(static_cast<std::size_t>(core_->bytes()));
        core_->settle(memory_->start());
        if (threads > 1 && memory_->is_large()) core_->touch(*lease_team(threads));
    }

    void put(int layer, int slot, const ReadOnly& W, const ReadOnly& b) {
        check(layer, slot, W, b);
        const Busy busy(in_use_);
        core_->put(layer, slot, W.data(), b.data());
    }
    void get(int layer, int slot, const Array& W, const Array& b) const {
        check(layer, slot, W, b);
        const Busy busy(in_use_);
        core_->get(layer, slot, W.data(), b.data());
    }
    void put_rows(int slot, const ReadOnly& rows) {
        check_rows(slot, rows);
        const Busy busy(in_use_);
        core_->put_rows(slot, rows.data());
    }
    void get_rows(int slot, const Array& rows) const {
        check_rows(slot, rows);
        const Busy busy(in_use_);
        core_->get_rows(slot, rows.data());
    }
    void ready() {
        const Busy busy(in_use_);
        core_->ready();
    }
    void data(ReadOnly X, ReadOnly Y, std::optional<ReadOnly> weights) {
        check_matrix(X, columns());
        check_matrix(Y, layers_.back().units);
        if (X.shape(0) != Y.shape(0)) throw std::invalid_argument("X and Y have different numbers of rows");
        if (weights) {
            check_type(*weights);
            if (weights->ndim() != 1 || weights->shape(0) != X.shape(0)) throw std::invalid_argument("one weight for each row");
        }
        const Busy busy(in_use_);
        rows_ = static_cast<std::int64_t>(X.shape(0));
        X_ = std::move(X);
        Y_ = std::move(Y);
        weights_ = std::move(weights);
        core_->data(X_.data(), Y_.data(), weights_ ? weights_->data() : nullptr);
    }

    std::tuple<std::int64_t, bool> run(const Rows& order, std::int64_t batch, const ReadOnly& rates, std::int64_t first_step,
                                       const Numbers& losses, nb::object stop, std::int64_t epoch) {
        const auto count = static_cast<std::int64_t>(order.shape(0)), steps = static_cast<std::int64_t>(losses.shape(0));
        if (rates.ndim() != 1 || static_cast<std::int64_t>(rates.shape(0)) < steps || rates.dtype() != nb::dtype<double>())
            throw std::invalid_argument("rates must be float64, one for each step");
        // copies: whoever holds the arrays may change them while the steps run, and what was judged must be what is used
        const auto* first_rate = static_cast<const double*>(rates.data());
        const std::vector<double> rate(first_rate, first_rate + steps);
        RunRequest request{nullptr, count, batch, epoch > 0 ? epoch : most_rows, rate.data(), steps, first_step, losses.data()};
        check_run(plan_, request, rows_);
        const std::unique_ptr<std::int64_t[]> rows = judged(order);
        request.order = rows.get();
        const Busy busy(in_use_);
        PythonWatch watch(std::move(stop));
        RunResult result{};
        {
            const nb::gil_scoped_release unlocked;
            const auto team = lease_team(plan_.threads);
            result = core_->run(request, *team, watch);
        }
        watch.rethrow();
        return {result.steps, result.failed};
    }

    // The loss and whether everything was finite; without targets Y the loss is 0.
    std::tuple<double, bool> predict(const ReadOnly& X, const Array& out, const std::optional<ReadOnly>& Y, int threads) {
        check_matrix(X, columns());
        check_matrix(out, layers_.back().units);
        if (out.shape(0) != X.shape(0)) throw std::invalid_argument("out must have as many rows as X");
        if (Y) {
            check_matrix(*Y, layers_.back().units);
            if (Y->shape(0) != X.shape(0)) throw std::invalid_argument("X and Y have different numbers of rows");
        }
        return forward({X.data(), Y ? Y->data() : nullptr, nullptr, nullptr, static_cast<std::int64_t>(X.shape(0)), out.data()}, threads);
    }
    // The same for rows of the data that the session holds.
    std::tuple<double, bool> score(const Rows& order, const Array& out, int threads) {
        check_matrix(out, layers_.back().units);
        if (out.shape(0) != order.shape(0)) throw std::invalid_argument("out must have a row for each row of the order");
        require(rows_ > 0, "data before a score");
        const std::unique_ptr<std::int64_t[]> rows = judged(order);
        return forward({X_.data(), Y_.data(), weights_ ? weights_->data() : nullptr, rows.get(), static_cast<std::int64_t>(order.shape(0)), out.data()}, threads);
    }

    std::string path() const { return core_->path(); }
    int threads() const { return plan_.threads; }
    std::int64_t bytes() const { return core_->bytes(); }

  private:
    // One run at a time: the arena is written by it.
    class Busy {
      public:
        explicit Busy(std::atomic<bool>& flag) : flag_(flag) {
            if (flag_.exchange(true)) throw std::runtime_error("this session is already running in another thread");
        }
        ~Busy() { flag_.store(false); }
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;

      private:
        std::atomic<bool>& flag_;
    };

    // A copy of row numbers of the data, each of which is there.
    std::unique_ptr<std::int64_t[]> judged(const Rows& order) const {
        const auto count = static_cast<std::int64_t>(order.shape(0));
        std::unique_ptr<std::int64_t[]> rows(new std::int64_t[static_cast<std::size_t>(count)]);
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t row = rows[static_cast<std::size_t>(i)] = order.data()[i];
            if (row < 0 || row >= rows_) throw nb::index_error("order names a row that is not there");
        }
        return rows;
    }
    std::tuple<double, bool> forward(const ForwardRequest& request, int threads) {
        require(request.Y == nullptr || plan_.loss.kind != LossKind::none, "a loss to score by");
        if (request.rows == 0) return {0.0, true};
        const Busy busy(in_use_);
        PythonWatch watch{nb::none()};
        ForwardResult result{};
        {
            const nb::gil_scoped_release unlocked;
            const auto team = lease_team(threads < 1 ? 1 : threads < plan_.threads ? threads : plan_.threads);
            result = core_->predict(request, *team, watch);
        }
        watch.rethrow();
        return {result.loss, result.finite};
    }

    std::int64_t columns() const { return layers_.front().inputs + plan_.gathered; }  // of X
    template <class A>
    void check_rows(int slot, const A& rows) const {
        std::int64_t categories = 0;
        for (const std::int64_t count : counts_) categories += count;
        if (slot < 0 || slot > (plan_.predict_only ? 0 : plan_.optimizer.slots)) throw std::invalid_argument("no such slot");
        check_matrix(rows, layers_.front().units);
        if (static_cast<std::int64_t>(rows.shape(0)) != categories) throw std::invalid_argument("a row for each category");
    }
    template <class A>
    void check_type(const A& array) const {
        if (array.dtype() != (float64_ ? nb::dtype<double>() : nb::dtype<float>()))
            throw std::invalid_argument("an array of another precision");
    }
    template <class A>
    void check_matrix(const A& array, std::int64_t columns) const {
        check_type(array);
        if (array.ndim() != 2 || static_cast<std::int64_t>(array.shape(1)) != columns)
            throw std::invalid_argument("a matrix with another number of columns");
    }
    template <class A>
    void check(int layer, int slot, const A& W, const A& b) const {
        if (layer < 1 || layer > plan_.depth || slot < 0 || slot > plan_.optimizer.slots)
            throw std::invalid_argument("no such layer or slot");
        const LayerPlan& plan = layers_[static_cast<std::size_t>(layer - 1)];
        check_matrix(W, plan.inputs);
        check_type(b);
        if (static_cast<std::int64_t>(W.shape(0)) != plan.units || b.ndim() != 1 || static_cast<std::int64_t>(b.shape(0)) != plan.units)
            throw std::invalid_argument("parameters of another shape");
    }

    bool float64_;
    std::vector<LayerPlan> layers_;
    std::vector<std::int64_t> counts_;
    Plan plan_{};
    std::unique_ptr<Memory> memory_;
    std::unique_ptr<Core> core_;
    ReadOnly X_, Y_;
    std::optional<ReadOnly> weights_;
    std::int64_t rows_ = 0;
    mutable std::atomic<bool> in_use_{false};
};

void evaluate_array(const std::string& function, const ReadOnly& x, const Array& y) {
    const bool float64 = x.dtype() == nb::dtype<double>();
    if (!float64 && x.dtype() != nb::dtype<float>()) throw std::invalid_argument("arrays of float32 or float64");
    if (x.dtype() != y.dtype() || x.size() != y.size()) throw std::invalid_argument("two arrays of one type and size");
    evaluate(named<Elementary>(elementary, function), x.data(), y.data(), static_cast<std::int64_t>(x.size()),
             x.dtype() == nb::dtype<double>());
}

// Row e of `orders` (epochs, rows): the order of epoch `first` + e.
void write_orders(std::uint64_t seed, std::uint64_t first, const nb::ndarray<std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>& orders) {
    const auto epochs = orders.shape(0), rows = orders.shape(1);
    require(rows < (std::uint64_t{1} << 32), "fewer than 2^32 rows");
    std::int64_t* row = orders.data();
    const nb::gil_scoped_release unlocked;
    for (std::size_t e = 0; e < epochs; ++e, row += rows) {
        for (std::size_t i = 0; i < rows; ++i) row[i] = static_cast<std::int64_t>(i);
        EpochGenerator(seed, first + e).shuffle(row, static_cast<std::int64_t>(rows));
    }
}

}  // namespace
}  // namespace handgrad

NB_MODULE(_native, m) {
    using namespace handgrad;
    m.doc() = "The native core of handgrad; see handgrad.engines.native.";
    m.attr("FUNCTIONS") = listed(functions);
    m.attr("LOSSES") = listed(losses);
    m.attr("RULES") = listed(rules);
    m.attr("BIASES") = listed(biases);
    m.attr("L2_FORMS") = listed(l2_forms);
    m.attr("PATHS") = listed(paths);
    m.attr("ELEMENTARY") = listed(elementary);
    m.def("isa", &chosen_isa);
    m.def("allowed_cpus", &allowed_cpus);
    m.def("evaluate", &evaluate_array, nb::arg("function"), nb::arg("x"), nb::arg("y").noconvert());
    m.def("epoch_orders", &write_orders, nb::arg("seed"), nb::arg("first"), nb::arg("orders").noconvert());
    nb::class_<Session>(m, "Session")
        .def(nb::init<bool, const std::vector<LayerTuple>&, const LossTuple&, const OptimizerTuple&,
                      const std::tuple<double, double, std::string>&, std::tuple<double, double>, std::uint64_t,
                      int, const std::string&,
                      std::int64_t, bool, const std::vector<std::int64_t>&>(),
             nb::arg("float64"), nb::arg("layers"), nb::arg("loss"), nb::arg("optimizer"), nb::arg("penalties"),
             nb::arg("clipping"), nb::arg("seed"), nb::arg("threads"), nb::arg("path"), nb::arg("largest_batch"),
             nb::arg("predict_only"), nb::arg("gathered") = std::vector<std::int64_t>{})
        .def("put", &Session::put)
        // what is written into is never converted: the numbers would go into a copy
        .def("get", &Session::get, nb::arg("layer"), nb::arg("slot"), nb::arg("W").noconvert(), nb::arg("b").noconvert())
        .def("put_rows", &Session::put_rows)
        .def("get_rows", &Session::get_rows, nb::arg("slot"), nb::arg("rows").noconvert())
        .def("ready", &Session::ready)
        .def("data", &Session::data, nb::arg("X"), nb::arg("Y"), nb::arg("weights").none() = nb::none())
        .def("run", &Session::run, nb::arg("order"), nb::arg("batch"), nb::arg("rates"), nb::arg("first_step"),
             nb::arg("losses").noconvert(), nb::arg("stop").none(), nb::arg("epoch") = 0)
        .def("predict", &Session::predict, nb::arg("X"), nb::arg("out").noconvert(), nb::arg("Y").none() = nb::none(),
             nb::arg("threads") = most_threads)
        .def("score", &Session::score, nb::arg("order"), nb::arg("out").noconvert(), nb::arg("threads") = most_threads)
        .def_prop_ro("path", &Session::path)
        .def_prop_ro("threads", &Session::threads)
        .def_prop_ro("bytes", &Session::bytes);
}
