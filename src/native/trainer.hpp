// Training and prediction on panels, for all nets that are not tiny.
//
// Two ways to share a step among threads, two meetings each:
//     sliced   each thread carries its slice of the batch, chunk by chunk, through all layers forward and backward
//              into gradients of its own; they are added in the order of the threads while the parameters are updated
//     tiled    each thread carries its slice forward and backward; then each takes blocks of the weights, sums their
//              gradient over the whole batch and updates them at once, so that no gradient is ever written to memory
#pragma once

#include "prediction.hpp"
#include "updates.hpp"

namespace handgrad::HG_ISA {

template <class T>
class PanelCore final : public Core, private PanelUpdates<T> {
    using Memory = PanelMemory<T>;
    using Updates = PanelUpdates<T>;
    using typename Memory::Parts;
    using Memory::block_, Memory::blocks_, Memory::chunk_, Memory::gradient_b_, Memory::gradient_w_, Memory::net_;
    using Memory::parts_, Memory::plan_, Memory::scratch_, Memory::shares_, Memory::threads_, Memory::tiled_, Memory::work_;
    using Updates::apply_norm, Updates::prepare_blocks, Updates::turn, Updates::update_blocks, Updates::update_prepared;

  public:
    explicit PanelCore(const Plan& plan) : Updates(plan) {}

    std::int64_t bytes() const override {
        return Memory::needed(plan_);
    }
    void settle(void* arena) override { this->lay_out(arena); }
    const char* path() const override { return tiled_ ? "tiled" : "sliced"; }

    void put(int l, int slot, const void* W, const void* b) override {
        Layer<T>& layer = net_.layer(l);
        const T* from = static_cast<const T*>(W);
        for (std::int64_t j = 0; j < layer.units; ++j)
            for (std::int64_t k = 0; k < layer.inputs; ++k) layer.w[slot][place(layer, j, k)] = from[j * layer.inputs + k];
        std::memcpy(layer.b[slot], b, static_cast<std::size_t>(layer.units) * sizeof(T));
    }
    void get(int l, int slot, void* W, void* b) const override {
        const Layer<T>& layer = net_.layer(l);
        T* to = static_cast<T*>(W);
        for (std::int64_t j = 0; j < layer.units; ++j)
            for (std::int64_t k = 0; k < layer.inputs; ++k) to[j * layer.inputs + k] = layer.w[slot][place(layer, j, k)];
        std::memcpy(b, layer.b[slot], static_cast<std::size_t>(layer.units) * sizeof(T));
    }
    void put_rows(int slot, const void* rows) override {
        const Gathered<T>& g = net_.gathered;
        for (std::int64_t k = 0; k < g.rows; ++k)
            std::memcpy(g.row(g.w[slot], k), static_cast<const T*>(rows) + k * g.units, static_cast<std::size_t>(g.units) * sizeof(T));
    }
    void get_rows(int slot, void* rows) const override {
        const Gathered<T>& g = net_.gathered;
        for (std::int64_t k = 0; k < g.rows; ++k)
            std::memcpy(static_cast<T*>(rows) + k * g.units, g.row(g.w[slot], k), static_cast<std::size_t>(g.units) * sizeof(T));
    }
    void ready() override {
        for (std::int64_t i = 0; i < blocks_; ++i) turn(block_[i]);
        squares_ = absolutes_ = 0;
        sums_of_table(net_.gathered, squares_, absolutes_);
        for (std::int64_t i = 0; i < blocks_; ++i) {
            if (block_[i].band < 0) continue;
            const Layer<T>& layer = net_.layer(block_[i].layer);
            Sums<T> sums;
            const T* w = layer.w[0] + (block_[i].band * layer.rows) * panel<T>;
            for (std::int64_t at = block_[i].r0 * panel<T>; at < block_[i].r1 * panel<T>; at += lanes<T>) {
                sums.squares += load(w + at) * load(w + at);
                sums.absolutes += absolute<T>(load(w + at));
            }
            squares_ += static_cast<double>(add_lanes<T>(sums.squares));
            absolutes_ += static_cast<double>(add_lanes<T>(sums.absolutes));
        }
    }
    void data(const void* X, const void* Y, const void* weights) override {
        X_ = static_cast<const T*>(X);
        Y_ = static_cast<const T*>(Y);
        weights_of_rows_ = static_cast<const T*>(weights);
    }

    RunResult run(const RunRequest& request, Team& team, Watch& watch) override {
        Running running{this, &request, &team, &watch, {0, false, false}, 0};
        team.run([](void* context, int thread) {
            Running& r = *static_cast<Running*>(context);
            r.core->work(r, thread);
        }, &running);
        return running.result;
    }
    ForwardResult predict(const ForwardRequest& request, Team& team, Watch& watch) override {
        return predict_rows(net_, work_, tiled_, chunk_, scratch_, request, plan_.loss,
                            static_cast<int>(least(team.size(), threads_)), shares_, team, watch);
    }

  private:
    struct Running {
        PanelCore* core;
        const RunRequest* request;
        Team* team;
        Watch* watch;
        RunResult result;
        int quit;  // 1: stop asked; 2: interrupted; set by thread 0 before a meeting
    };
    static std::int64_t place(const Layer<T>& layer, std::int64_t unit, std::int64_t input) {
        const std::int64_t r = layer.units_in_lanes ? input : unit, c = layer.units_in_lanes ? unit : input;
        return (c / panel<T> * layer.rows + r) * panel<T> + c % panel<T>;
    }

    // ---- a step -------------------------------------------------------------------------------------------------

    void work(Running& run, int thread) {
        const RunRequest& request = *run.request;
        const StepRule<T> fixed = make_step_rule<T>(plan_);
        Powers powers(plan_.optimizer);
        for (std::int64_t k = 0; k < request.steps; ++k) {
            const std::int64_t first = k * request.batch, m = least(request.batch, request.count - first);
            const std::int64_t t = request.first_step + k;
            const std::int64_t* order = request.order + first;
            if (thread == 0) {
                for (int l = 1; l <= net_.depth; ++l) net_.layer(l).mask.step = static_cast<std::uint32_t>(t);
                if (k > 0 && run.watch->due() && run.watch->stop()) __atomic_store_n(&run.quit, 1, __ATOMIC_RELAXED);
            }
            if (has_dropout()) run.team->meet(thread);  // the masks need the step
            const std::int64_t next = k + 1 < request.steps ? least(request.batch, request.count - first - m) : 0;
            parts_[thread].loss = pass(run, thread, order, m, next);
            run.team->meet(thread);
            if (run.quit) {
                if (thread == 0) finish(run, {k, false, run.quit == 2}, k);
                return;
            }
            const double loss = total_loss(m, k);
            if (thread == 0) request.losses[k] = loss;
            if (!(loss - loss == 0)) {
                if (thread == 0) finish(run, {k + 1, true, false}, k);
                return;
            }
            StepRule<T> rule = fixed;
            powers.set(rule, t, request.rates[k]);
            rule.l2 = static_cast<T>(2 * l2_coefficient(plan_, m));
            Parts& parts = parts_[thread];
            const int set = static_cast<int>((k + 1) & 1);
            Sums<T> sums;
            if (plan_.clip_norm > 0) {
                prepare_blocks(thread, run.team->size(), m, rule);
                if (net_.gathers(1))
                    parts.norm += prepare_table(net_.gathered, work_->places, work_->delta[1], work_->rows, m, thread, run.team->size(), rule);
                run.team->meet(thread);
                apply_norm(rule);
                update_prepared(thread, run.team->size(), rule, sums);
                if (net_.gathers(1)) update_prepared_table(net_.gathered, thread, run.team->size(), plan_.optimizer.slots, rule, sums);
            } else {
                update_blocks(thread, run.team->size(), m, rule, sums);
                if (net_.gathers(1))
                    update_table(net_.gathered, work_->places, work_->delta[1], work_->rows, m, thread, run.team->size(),
                                 plan_.optimizer.slots, rule, this->bias_sum_[thread], sums);
            }
            parts.squares[set] = static_cast<double>(add_lanes<T>(sums.squares));
            parts.absolutes[set] = static_cast<double>(add_lanes<T>(sums.absolutes));
            run.team->meet(thread);
        }
        if (thread == 0) finish(run, {request.steps, false, false}, request.steps);
    }

    void finish(Running& run, RunResult result, std::int64_t updates) {
        run.result = result;
        if (updates > 0) penalty_sums(updates, squares_, absolutes_);
    }

    bool has_dropout() const {
        for (int l = 1; l <= net_.depth; ++l)
            if (net_.layer(l).dropout) return true;
        return false;
    }

    void slice(std::int64_t m, int thread, std::int64_t& lo, std::int64_t& hi) const {
        rows_of_thread<T>(m, thread, threads_, lo, hi);
    }

    // Forward and backward over this thread's rows of the batch; returns its share of the data's loss.
    // `next` is the size of the batch that follows in `order`.
    double pass(Running& run, int thread, const std::int64_t* order, std::int64_t m, std::int64_t next) {
        std::int64_t lo, hi, next_lo, next_hi;
        slice(m, thread, lo, hi);
        slice(next, thread, next_lo, next_hi);
        const LossPlan& loss = plan_.loss;
        const double share = loss.mean_samples ? 1.0 / static_cast<double>(m) : 1.0;
        const double factor =
            loss.scale * share / (loss.mean_outputs ? static_cast<double>(net_.output.outputs) : 1.0);
        double sum = 0;
        if (tiled_) {
            Ahead ahead = rows_ahead(run, order + m + next_lo, next_hi - next_lo, hi - lo);
            sum = pass_rows(run, thread, *work_, order, lo, hi, 0, static_cast<T>(factor), nullptr, false, ahead);
        } else {
            Work<T>& work = work_[thread];
            bool more = false;
            for (std::int64_t r = lo; r < hi; r += chunk_, more = true) {
                if (left_early(run, thread)) break;
                const std::int64_t rows = least(chunk_, hi - r);
                Ahead ahead = r + rows < hi ? rows_ahead(run, order + r + rows, least(chunk_, hi - r - rows), rows)
                                            : rows_ahead(run, order + m + next_lo, least(chunk_, next_hi - next_lo), rows);
                sum += pass_rows(run, thread, work, order + r, 0, rows, r, static_cast<T>(factor),
                                 gradient_w_ + thread * (net_.depth + 1), more, ahead);
            }
            if (lo == hi) clear_gradients(thread);
        }
        return sum * factor;
    }

    // `count` rows to be asked for while `rows` rows go through the first layers.
    Ahead rows_ahead(const Running& run, const std::int64_t* order, std::int64_t count, std::int64_t rows) const {
        const std::int64_t row_bytes = net_.columns() * static_cast<std::int64_t>(sizeof(T));
        if (!far(run)) return {};
        const std::int64_t tiles = (rows + tile_rows - 1) / tile_rows * panels<T>(net_.layer(1).units);
        return {reinterpret_cast<const char*>(X_), order, row_bytes, count, (count + tiles - 1) / most(tiles, 1)};
    }

    // False where all rows of the run stay in the second-level cache.
    bool far(const Running& run) const {
        const std::int64_t row = net_.columns() + net_.output.outputs;
        return run.request->count * row * static_cast<std::int64_t>(sizeof(T)) > 512 * 1024;
    }

    bool left_early(Running& run, int thread) const {
        if (thread == 0 && run.watch->interrupted()) __atomic_store_n(&run.quit, 2, __ATOMIC_RELAXED);
        return __atomic_load_n(&run.quit, __ATOMIC_RELAXED) != 0;
    }

    double pass_rows(Running& run, int thread, const Work<T>& work, const std::int64_t* order, std::int64_t r0,
                     std::int64_t r1, std::int64_t first_sample, T factor, T** gradients, bool accumulate, Ahead& ahead) {
        const int L = net_.depth;
        const Scratch<T>& scratch = scratch_[thread];
        gather(X_, net_.layer(1).inputs, net_.columns(), order, 0, work.a[0], work.rows, r0, r1);
        if (net_.gathers(1)) take_places(net_.gathered, X_, order, 0, work.places, r0, r1);
        if (far(run))
            for (std::int64_t r = r0; r < r1; ++r) __builtin_prefetch(Y_ + order[r] * net_.output.outputs);
        for (int l = 1; l < L; ++l) {
            forward_layer(net_, l, work, r0, r1, first_sample, true, scratch, ahead);
            if (tiled_ && left_early(run, thread)) return 0;
        }
        const double loss = output_layer(net_, work, r0, r1, Y_, weights_of_rows_, order, factor, scratch);
        for (int l = L; l >= 1; --l) {
            if (gradients) add_gradients(l, work, r1, gradients, thread, accumulate);
            if (l > 1) backward_layer(net_, l - 1, work, r0, r1, first_sample, scratch);
            if (tiled_ && left_early(run, thread)) return 0;
        }
        return loss;
    }

    void add_gradients(int l, const Work<T>& work, std::int64_t samples, T** gradients, int thread, bool accumulate) {
        const Layer<T>& layer = net_.layer(l);
        for (std::int64_t p = 0; p < panels<T>(layer.columns); ++p)
            for (std::int64_t r = 0; r < layer.rows; r += panel<T>)
                gradient_block(layer, work.a[l - 1], work.delta[l], work.rows, 0, samples, p, r,
                               least(r + panel<T>, layer.rows), accumulate ? Begin::accumulate : Begin::zero,
                               gradients[l] + (p * layer.rows + r) * panel<T>);
        T* b = gradient_b_[thread * (net_.depth + 1) + l];
        for (std::int64_t p = 0; p < panels<T>(layer.units); ++p)
            bias_block(work.delta[l], work.rows, 0, samples, p, accumulate, b + p * panel<T>);
    }

    void clear_gradients(int thread) {
        for (int l = 1; l <= net_.depth; ++l) {
            const Layer<T>& layer = net_.layer(l);
            std::memset(gradient_w_[thread * (net_.depth + 1) + l], 0, static_cast<std::size_t>(layer.size()) * sizeof(T));
            std::memset(gradient_b_[thread * (net_.depth + 1) + l], 0, static_cast<std::size_t>(padded<T>(layer.units)) * sizeof(T));
        }
    }

    double total_loss(std::int64_t m, std::int64_t k) const {
        double loss = 0;
        for (int t = 0; t < threads_; ++t) loss += parts_[t].loss;
        if (plan_.l1 == 0 && plan_.l2 == 0) return loss;
        double squares = squares_, absolutes = absolutes_;
        if (k > 0) penalty_sums(k, squares, absolutes);
        return loss + l2_coefficient(plan_, m) * squares + plan_.l1 * absolutes;
    }
    // |W|^2 and |W|_1 after `updates` updates of this run.
    void penalty_sums(std::int64_t updates, double& squares, double& absolutes) const {
        squares = absolutes = 0;
        for (int t = 0; t < threads_; ++t) {
            squares += parts_[t].squares[updates & 1];
            absolutes += parts_[t].absolutes[updates & 1];
        }
    }

    const T *X_ = nullptr, *Y_ = nullptr, *weights_of_rows_ = nullptr;
    double squares_ = 0, absolutes_ = 0;
};

}  // namespace handgrad::HG_ISA
