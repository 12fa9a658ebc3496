// Training and prediction on panels, for all nets that are not tiny.
//
// Two ways to share a step among threads, two meetings each:
//     sliced   each thread carries its slices of the batch, chunk by chunk, through all layers forward and backward
//              into gradients of its own; those of all threads are added up while the parameters are updated
//     tiled    each thread carries its rows forward and backward; then each takes blocks of the weights, sums their
//              gradient over the whole batch and updates them at once, so that no gradient is ever written to memory
//
// No sum depends on the number of threads: gradients are added up by the tree of slices.hpp, losses by groups of rows,
// squares of weights by blocks.
#pragma once

#include "prediction.hpp"
#include "updates.hpp"

namespace handgrad::HG_ISA {

template <class T>
class PanelCore final : public Core, private PanelUpdates<T> {
    using Memory = PanelMemory<T>;
    using Updates = PanelUpdates<T>;
    using Memory::bias_sum_, Memory::block_, Memory::blocks_, Memory::chunk_, Memory::held_, Memory::losses_, Memory::net_;
    using Memory::parameters_, Memory::plan_, Memory::scratch_, Memory::shares_, Memory::sums_, Memory::threads_;
    using Memory::tiled_, Memory::work_;
    using Updates::apply_norm, Updates::gradient_b, Updates::gradient_w, Updates::keep_sums, Updates::left_of;
    using Updates::prepare_blocks, Updates::turn, Updates::update_blocks, Updates::update_prepared;
    using typename Updates::Left;

  public:
    explicit PanelCore(const Plan& plan) : Updates(plan) {}

    std::int64_t bytes() const override {
        return Memory::needed(plan_);
    }
    void settle(void* arena) override { this->lay_out(arena); }
    void touch(Team& team) override {
        team.run([](void* context, int thread) { static_cast<PanelCore*>(context)->touch_own(thread); }, this);
    }
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
        for (std::int64_t i = 0; i < blocks_; ++i) {
            if (block_[i].band < 0) continue;
            const Layer<T>& layer = net_.layer(block_[i].layer);
            Sums<T> sums;
            const T* w = layer.w[0] + (block_[i].band * layer.rows) * panel<T>;
            for (std::int64_t at = block_[i].r0 * panel<T>; at < block_[i].r1 * panel<T>; at += lanes<T>) {
                sums.squares += load(w + at) * load(w + at);
                sums.absolutes += absolute<T>(load(w + at));
            }
            keep_sums(i, 0, sums);
        }
        if (net_.gathers(1)) sums_of_table(net_.gathered, of_table(0));
        penalty_sums(0, squares_, absolutes_);
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

    // Memory lies near the processor that wrote to it first: of each block, and of each thread's own.
    void touch_own(int thread) {
        std::int64_t from, to;
        this->share(thread, threads_, from, to);
        for (std::int64_t i = from; i < to; ++i) {
            if (block_[i].band < 0) continue;
            const Layer<T>& layer = net_.layer(block_[i].layer);
            const std::int64_t size = (block_[i].r1 - block_[i].r0) * panel<T>;
            for (int slot = 0; slot <= (plan_.predict_only ? 0 : plan_.optimizer.slots); ++slot)
                clear(layer.w[slot] + (block_[i].band * layer.rows + block_[i].r0) * panel<T>, size);
            if (layer.turned) turn(block_[i]);
        }
        const Work<T>& work = work_[tiled_ ? 0 : thread];
        const std::int64_t lo = tiled_ ? first_row<T>(chunk_, thread, threads_) : 0;
        const std::int64_t hi = tiled_ ? first_row<T>(chunk_, thread + 1, threads_) : chunk_;
        for (int l = 0; l <= net_.depth; ++l) {
            const std::int64_t columns = l ? net_.layer(l).units : net_.layer(1).inputs;
            for (std::int64_t p = 0; p < panels<T>(columns); ++p)
                for (T* matrix : {work.a[l], work.delta[l], work.slope[l]})
                    if (matrix) clear(matrix + (p * work.rows + lo) * panel<T>, (hi - lo) * panel<T>);
        }
        if (tiled_ || plan_.predict_only) return;
        for (int copy = thread * held_; copy < (thread + 1) * held_; ++copy)
            for (int l = 1; l <= net_.depth; ++l) clear(gradient_w(copy, l), net_.layer(l).size());
    }
    static void clear(T* from, std::int64_t count) { std::memset(from, 0, static_cast<std::size_t>(count) * sizeof(T)); }

    // ---- a step -------------------------------------------------------------------------------------------------

    void work(Running& run, int thread) {
        const RunRequest& request = *run.request;
        const StepRule<T> fixed = make_step_rule<T>(plan_);
        Powers powers(plan_.optimizer);
        Batches batches(request);
        for (std::int64_t k = 0; k < request.steps; ++k) {
            const std::int64_t m = batches.rows(), t = request.first_step + k;
            const std::int64_t* order = request.order + batches.first();
            batches.advance();
            if (thread == 0) {
                for (int l = 1; l <= net_.depth; ++l) net_.layer(l).mask.step = static_cast<std::uint32_t>(t);
                if (k > 0 && run.watch->due() && run.watch->stop()) __atomic_store_n(&run.quit, 1, __ATOMIC_RELAXED);
            }
            if (has_dropout()) run.team->meet(thread);  // the masks need the step
            pass(run, thread, order, m, k + 1 < request.steps ? batches.rows() : 0);
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
            const int set = static_cast<int>((k + 1) & 1);
            const Left left = left_of(m);
            if (plan_.clip_norm > 0) {
                prepare_blocks(thread, run.team->size(), left, rule);
                if (net_.gathers(1))
                    prepare_table(net_.gathered, work_->places, work_->delta[1], work_->rows, m, thread, run.team->size(), rule, sums_.norm + blocks_);
                run.team->meet(thread);
                apply_norm(rule);
                update_prepared(thread, run.team->size(), rule, set);
                if (net_.gathers(1)) update_prepared_table(net_.gathered, thread, run.team->size(), plan_.optimizer.slots, rule, of_table(set));
            } else {
                update_blocks(thread, run.team->size(), left, rule, set);
                if (net_.gathers(1))
                    update_table(net_.gathered, work_->places, work_->delta[1], work_->rows, m, thread, run.team->size(),
                                 plan_.optimizer.slots, rule, bias_sum_[thread], of_table(set));
            }
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

    // The rows of a thread: whole slices of the batch, or groups of rows where slices are not added up apart.
    void rows_of(std::int64_t m, int thread, std::int64_t& lo, std::int64_t& hi) const {
        const std::int64_t parts = tiled_ ? threads_ : slices_of(m, parameters_);
        lo = first_row<T>(m, parts * thread / threads_, parts);
        hi = first_row<T>(m, parts * (thread + 1) / threads_, parts);
    }

    // Forward and backward over this thread's rows of the batch. `next` is the size of the batch that follows in `order`.
    void pass(Running& run, int thread, const std::int64_t* order, std::int64_t m, std::int64_t next) {
        std::int64_t lo, hi, next_lo, next_hi;
        rows_of(m, thread, lo, hi);
        rows_of(next, thread, next_lo, next_hi);
        const LossPlan& loss = plan_.loss;
        const double share = loss.mean_samples ? 1.0 / static_cast<double>(m) : 1.0;
        const double factor =
            loss.scale * share / (loss.mean_outputs ? static_cast<double>(net_.output.outputs) : 1.0);
        if (tiled_) {
            Ahead ahead = rows_ahead(run, order + m + next_lo, next_hi - next_lo, hi - lo);
            pass_rows(run, thread, *work_, order, lo, hi, 0, static_cast<T>(factor), nullptr, ahead);
        } else {
            const int slices = slices_of(m, parameters_), begin = slices * thread / threads_;
            for (int at = begin; at < slices * (thread + 1) / threads_; ++at) {
                const std::int64_t end = first_row<T>(m, at + 1, slices);
                Piece piece{thread * held_ + sums_held(begin, at), sums_completed(begin, at), true, false};
                for (std::int64_t r = first_row<T>(m, at, slices); r < end; r += chunk_, piece.begins = false) {
                    if (left_early(run, thread)) return;
                    const std::int64_t rows = least(chunk_, end - r), left = hi - r - rows;
                    Ahead ahead = left > 0 ? rows_ahead(run, order + r + rows, least(chunk_, left), rows)
                                           : rows_ahead(run, order + m + next_lo, least(chunk_, next_hi - next_lo), rows);
                    piece.ends = r + rows == end;
                    pass_rows(run, thread, work_[thread], order + r, 0, rows, r, static_cast<T>(factor), &piece, ahead);
                }
            }
        }
    }

    // A chunk of a slice; `copy` is where the slice is added up, and `completes` how many sums before that are added to
    // it at its end.
    struct Piece {
        int copy, completes;
        bool begins, ends;
    };

    // `count` rows to be asked for while `rows` rows go through the first layers.
    Ahead rows_ahead(const Running& run, const std::int64_t* order, std::int64_t count, std::int64_t rows) const {
        const std::int64_t row_bytes = net_.columns() * static_cast<std::int64_t>(sizeof(T));
        if (!far(run)) return {};
        const std::int64_t tiles = (rows + tile_rows - 1) / tile_rows * panels<T>(net_.layer(1).units);
        return {reinterpret_cast<const char*>(X_), order, row_bytes, count, (count + tiles - 1) / most(tiles, 1), 0};
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

    // `piece`: null where gradients are not added up here.
    void pass_rows(Running& run, int thread, const Work<T>& work, const std::int64_t* order, std::int64_t r0,
                   std::int64_t r1, std::int64_t first_sample, T factor, const Piece* piece, Ahead& ahead) {
        const int L = net_.depth;
        const Scratch<T>& scratch = scratch_[thread];
        gather(X_, net_.layer(1).inputs, net_.columns(), order, 0, work.a[0], work.rows, r0, r1);
        if (net_.gathers(1)) take_places(net_.gathered, X_, order, 0, work.places, r0, r1);
        if (far(run))
            for (std::int64_t r = r0; r < r1; ++r) __builtin_prefetch(Y_ + order[r] * net_.output.outputs);
        for (int l = 1; l < L; ++l) {
            forward_layer(net_, l, work, r0, r1, first_sample, true, scratch, ahead);
            if (tiled_ && left_early(run, thread)) return;
        }
        output_layer(net_, work, r0, r1, Y_, weights_of_rows_, order, factor, losses_ + first_sample / lanes<T>, scratch);
        for (int l = L; l >= 1; --l) {
            if (piece) add_gradients(l, work, *piece, r1, thread);
            if (l > 1) backward_layer(net_, l - 1, work, r0, r1, first_sample, scratch);
            if (tiled_ && left_early(run, thread)) return;
        }
    }

    void add_gradients(int l, const Work<T>& work, const Piece& piece, std::int64_t samples, int thread) {
        const Layer<T>& layer = net_.layer(l);
        const bool aside = apart(piece), added = aside && piece.completes == 1;
        const Begin begin = added ? Begin::apart : piece.begins ? Begin::zero : Begin::accumulate;
        const Piece rest{piece.copy, added || !piece.ends ? 0 : piece.completes, piece.begins, piece.ends};
        for (std::int64_t p = 0; p < panels<T>(layer.columns); ++p)
            for (std::int64_t r = 0; r < layer.rows; r += panel<T>) {
                const std::int64_t height = least(panel<T>, layer.rows - r), at = (p * layer.rows + r) * panel<T>;
                T* out = aside && !added ? scratch_[thread].block : gradient_w(piece.copy - added, l) + at;
                gradient_block(layer, work.a[l - 1], work.delta[l], work.rows, 0, samples, p, r, r + height, begin, out);
                complete(rest, out, height, vectors_in<T>(layer.columns, p), [&](int copy) __attribute__((always_inline)) {
                    return gradient_w(copy, l) + at;
                });
            }
        const Piece of_bias{piece.copy, piece.ends ? piece.completes : 0, piece.begins, piece.ends};
        for (std::int64_t p = 0; p < panels<T>(layer.units); ++p) {
            T* out = aside ? bias_sum_[thread] : gradient_b(piece.copy, l) + p * panel<T>;
            bias_block(work.delta[l], work.rows, 0, samples, p, !piece.begins, out);
            complete(of_bias, out, 1, 2, [&](int copy) __attribute__((always_inline)) { return gradient_b(copy, l) + p * panel<T>; });
        }
    }
    // A slice in one piece that completes others is added to them at once: its own sum need not be kept.
    static bool apart(const Piece& piece) { return piece.begins && piece.ends && piece.completes > 0; }

    // Adds the sums that a slice completes to its own, rows of `panel`; `at(copy)` is where one lies.
    template <class At>
    HG_INLINE void complete(const Piece& piece, const T* own, std::int64_t rows, int vectors, At at) {
        if (piece.completes == 0) return;
        T* to = at(piece.copy - piece.completes);
        for (std::int64_t r = 0; r < rows; ++r)
            for (int n = 0; n < vectors; ++n) {
                const std::int64_t i = r * panel<T> + n * lanes<T>;
                Vec<T> sum = load(own + i);
                for (int c = 1; c <= piece.completes; ++c) sum = load(at(piece.copy - c) + i) + sum;
                store(to + i, sum);
            }
    }

    double total_loss(std::int64_t m, std::int64_t k) const {
        const double loss = data_loss(plan_.loss, sum_of(losses_, (m + lanes<T> - 1) / lanes<T>), m, net_.output.outputs);
        if (plan_.l1 == 0 && plan_.l2 == 0) return loss;
        double squares = squares_, absolutes = absolutes_;
        if (k > 0) penalty_sums(k, squares, absolutes);
        return loss + l2_coefficient(plan_, m) * squares + plan_.l1 * absolutes;
    }
    // |W|^2 and |W|_1 after `updates` updates of this run.
    void penalty_sums(std::int64_t updates, double& squares, double& absolutes) const {
        squares = sum_of(sums_.squares[updates & 1], blocks_ + table_parts);
        absolutes = sum_of(sums_.absolutes[updates & 1], blocks_ + table_parts);
    }
    // Behind those of the blocks.
    TableSums of_table(int set) const { return {sums_.squares[set] + blocks_, sums_.absolutes[set] + blocks_}; }

    const T *X_ = nullptr, *Y_ = nullptr, *weights_of_rows_ = nullptr;
    double squares_ = 0, absolutes_ = 0;
};

}  // namespace handgrad::HG_ISA
