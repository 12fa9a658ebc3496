// Training and prediction on panels, for all nets that are not tiny.
//
// Two ways to share a step among threads, two meetings each:
//     sliced   each thread carries its slice of the batch, chunk by chunk, through all layers forward and backward
//              into gradients of its own; they are added in the order of the threads while the parameters are updated
//     tiled    each thread carries its slice forward and backward; then each takes blocks of the weights, sums their
//              gradient over the whole batch and updates them at once, so that no gradient is ever written to memory
#pragma once

#include "network.hpp"
#include "optimizers.hpp"

namespace handgrad::HG_ISA {

template <class T>
class PanelCore final : public Core {
  public:
    explicit PanelCore(const Plan& plan) : plan_(plan) {
        parameters_ = 0;
        for (int l = 0; l < plan.depth; ++l)
            parameters_ += plan.layers[l].units * (plan.layers[l].inputs + 1);
        tiled_ = !plan.predict_only && (plan.path == Path::tiled || (plan.path == Path::automatic &&
                 parameters_ > 32768 && plan.largest_batch < 2048));
        threads_ = plan.threads;
    }

    std::int64_t bytes() const override {
        PanelCore<T> copy(plan_);
        return copy.lay_out(nullptr);
    }
    void settle(void* arena) override { lay_out(arena); }
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
    void ready() override {
        for (std::int64_t i = 0; i < blocks_; ++i) turn(block_[i]);
        squares_ = absolutes_ = 0;
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
    void data(const void* X, const void* Y) override {
        X_ = static_cast<const T*>(X);
        Y_ = static_cast<const T*>(Y);
    }

    RunResult run(const RunRequest& request, Team& team, Watch& watch) override {
        Running running{this, &request, &team, &watch, {0, false, false}, 0};
        team.run([](void* context, int thread) {
            Running& r = *static_cast<Running*>(context);
            r.core->work(r, thread);
        }, &running);
        return running.result;
    }
    bool predict(const void* X, std::int64_t rows, void* out, Team& team, Watch& watch) override {
        Predicting p{this, static_cast<const T*>(X), rows, static_cast<T*>(out), &watch, team.size(), 0};
        team.run([](void* context, int thread) {
            Predicting& q = *static_cast<Predicting*>(context);
            q.core->predict_slice(q, thread);
        }, &p);
        return p.left == 0;
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
    struct Predicting {
        PanelCore* core;
        const T* X;
        std::int64_t rows;
        T* out;
        Watch* watch;
        int threads, left;
    };
    // Rows [r0, r1) of one panel (`band`) of a layer's weights; band -1: the layer's biases.
    struct Block {
        std::int32_t layer, band;
        std::int64_t r0, r1;
    };
    // What one thread adds up, on cache lines of its own; two sets, used in turn by even and odd steps.
    struct alignas(64) Parts {
        double squares[2], absolutes[2];
        double loss, norm;
    };

    static std::int64_t place(const Layer<T>& layer, std::int64_t unit, std::int64_t input) {
        const std::int64_t r = layer.units_in_lanes ? input : unit, c = layer.units_in_lanes ? unit : input;
        return (c / panel<T> * layer.rows + r) * panel<T> + c % panel<T>;
    }

    // ---- memory -------------------------------------------------------------------------------------------------

    std::int64_t lay_out(void* base) {
        Arena arena(base);
        const int L = plan_.depth;
        Layer<T> spare[2];  // stands in for the layers while the memory is only counted
        net_.depth = L;
        net_.layers = arena.template take<Layer<T>>(L + 1);
        blocks_ = 0;
        widest_ = grouped_ = panel<T>;
        std::int64_t row_size = padded<T>(plan_.layers[0].inputs);
        for (int l = 1; l <= L; ++l) {
            Layer<T>& layer = base ? net_.layers[l] : spare[0];
            describe(layer, l);
            for (int slot = 0; slot <= (plan_.predict_only ? 0 : plan_.optimizer.slots); ++slot) {
                layer.w[slot] = arena.template take<T>(layer.size());
                layer.b[slot] = arena.template take<T>(padded<T>(layer.units));
            }
            const bool turned = layer.units_in_lanes ? l > 1 && !plan_.predict_only : !layer.by_dots;
            layer.turned = turned ? arena.template take<T>(layer.columns * padded<T>(layer.rows)) : nullptr;
            blocks_ += panels<T>(layer.columns) * panels<T>(layer.rows) + 1;
            row_size += padded<T>(layer.units) * (plan_.predict_only ? 1 : layer.keeps_slope ? 3 : 2);
            widest_ = most(widest_, layer.units);
            if (l == L || layer.by_dots || layer.function == Fn::softmax) grouped_ = most(grouped_, layer.units);
        }
        net_.output = {plan_.loss.kind, plan_.layers[L - 1].function, static_cast<T>(plan_.layers[L - 1].alpha),
                       static_cast<T>(plan_.loss.threshold), plan_.layers[L - 1].units};
        block_ = arena.template take<Block>(blocks_);
        if (base) list_blocks();
        parts_ = arena.template take<Parts>(threads_ + 1);
        lay_out_work(arena, base != nullptr, row_size);
        lay_out_gradients(arena, base != nullptr);
        scratch_ = arena.template take<Scratch<T>>(threads_);
        for (int t = 0; t < threads_; ++t) {
            Scratch<T> s;
            const std::int64_t group = padded<T>(grouped_) * lanes<T>;
            s.z = arena.template take<T>(group);
            s.y = arena.template take<T>(group);
            s.a = arena.template take<T>(group);
            s.delta = arena.template take<T>(group);
            s.mask = arena.template take<T>(padded<T>(widest_) + 4 * word_lanes);
            s.block = arena.template take<T>(panel<T> * panel<T>);
            if (base) scratch_[t] = s;
        }
        return arena.used();
    }

    void describe(Layer<T>& layer, int l) const {
        const LayerPlan& from = plan_.layers[l - 1];
        layer = {};
        layer.inputs = from.inputs;
        layer.units = from.units;
        layer.function = from.function;
        layer.alpha = static_cast<T>(from.alpha);
        layer.bias = from.bias;
        layer.dropout = from.dropout && !plan_.predict_only;
        layer.kept = from.dropout ? static_cast<T>(1 / from.keep) : 1;
        layer.mask = {plan_.seed, static_cast<std::uint64_t>(from.keep * 4294967296.0), static_cast<std::uint32_t>(l), 0};
        layer.units_in_lanes = !(from.units < from.inputs && from.units <= lanes<T>);
        layer.by_dots = !layer.units_in_lanes && from.units <= 4;
        layer.keeps_slope = !plan_.predict_only && l < plan_.depth &&
                            (layer.dropout || (from.function != Fn::softmax && !slope_from_output(from.function, from.alpha)));
        layer.rows = layer.units_in_lanes ? from.inputs : from.units;
        layer.columns = layer.units_in_lanes ? from.units : from.inputs;
    }

    void list_blocks() {
        std::int64_t i = 0;
        for (int l = plan_.depth; l >= 1; --l) {
            const Layer<T>& layer = net_.layer(l);
            for (std::int64_t p = 0; p < panels<T>(layer.columns); ++p)
                for (std::int64_t r = 0; r < layer.rows; r += panel<T>)
                    block_[i++] = {l, static_cast<std::int32_t>(p), r, least(r + panel<T>, layer.rows)};
            block_[i++] = {l, -1, 0, panels<T>(layer.units)};
        }
    }

    // Activations: the whole batch once (tiled), or a chunk for each thread that stays in the caches.
    void lay_out_work(Arena& arena, bool real, std::int64_t row_size) {
        const int L = plan_.depth;
        const std::int64_t slice = (plan_.largest_batch + threads_ - 1) / threads_;
        std::int64_t rows = plan_.largest_batch;
        if (!tiled_) {
            std::int64_t most_rows = 131072 / (row_size * static_cast<std::int64_t>(sizeof(T))) / 48 * 48;
            most_rows = least(most(most_rows, 48), 384);
            const std::int64_t chunks = (slice + most_rows - 1) / most_rows;
            rows = (slice + chunks - 1) / chunks;
        }
        rows = (rows + lanes<T> - 1) / lanes<T> * lanes<T>;
        chunk_ = rows;
        const int copies = tiled_ ? 1 : threads_;
        work_ = arena.template take<Work<T>>(copies);
        for (int t = 0; t < copies; ++t) {
            Work<T> w{};
            w.rows = rows;
            w.a = arena.template take<T*>(L + 1);
            w.delta = arena.template take<T*>(L + 1);
            w.slope = arena.template take<T*>(L + 1);
            for (int l = 0; l <= L; ++l) {
                const std::int64_t width = padded<T>(l ? plan_.layers[l - 1].units : plan_.layers[0].inputs);
                Layer<T> layer{};
                if (l) describe(layer, l);
                T* a = l == L && layer.by_dots ? nullptr : arena.template take<T>(width * rows);
                T* delta = l && !plan_.predict_only ? arena.template take<T>(width * rows) : nullptr;
                T* slope = l && layer.keeps_slope ? arena.template take<T>(width * rows) : nullptr;
                if (real) w.a[l] = a, w.delta[l] = delta, w.slope[l] = slope;
            }
            if (real) work_[t] = w;
        }
    }

    // Gradients: of each thread its own (sliced), or one where all must be known before any is used (norm).
    void lay_out_gradients(Arena& arena, bool real) {
        copies_ = plan_.predict_only ? 0 : tiled_ ? (plan_.clip_norm > 0 ? 1 : 0) : threads_;
        gradient_w_ = arena.template take<T*>(copies_ * (plan_.depth + 1));
        gradient_b_ = arena.template take<T*>(copies_ * (plan_.depth + 1));
        for (int t = 0; t < copies_; ++t)
            for (int l = 1; l <= plan_.depth; ++l) {
                Layer<T> layer;
                describe(layer, l);
                T* w = arena.template take<T>(layer.size());
                T* b = arena.template take<T>(padded<T>(layer.units));
                if (real) gradient_w_[t * (plan_.depth + 1) + l] = w, gradient_b_[t * (plan_.depth + 1) + l] = b;
            }
        bias_sum_ = arena.template take<T*>(threads_);
        for (int t = 0; t < threads_; ++t) {
            T* sum = arena.template take<T>(padded<T>(widest_));
            if (real) bias_sum_[t] = sum;
        }
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
                run.team->meet(thread);
                apply_norm(rule);
                update_prepared(thread, run.team->size(), rule, sums);
            } else {
                update_blocks(thread, run.team->size(), m, rule, sums);
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
        const std::int64_t groups = (m + lanes<T> - 1) / lanes<T>;
        lo = least(m, groups * thread / threads_ * lanes<T>);
        hi = least(m, groups * (thread + 1) / threads_ * lanes<T>);
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
            Ahead ahead = rows_ahead(order + m + next_lo, next_hi - next_lo, hi - lo);
            sum = pass_rows(run, thread, *work_, order, lo, hi, 0, static_cast<T>(factor), nullptr, false, ahead);
        } else {
            Work<T>& work = work_[thread];
            bool more = false;
            for (std::int64_t r = lo; r < hi; r += chunk_, more = true) {
                if (left_early(run, thread)) break;
                const std::int64_t rows = least(chunk_, hi - r);
                Ahead ahead = r + rows < hi ? rows_ahead(order + r + rows, least(chunk_, hi - r - rows), rows)
                                            : rows_ahead(order + m + next_lo, least(chunk_, next_hi - next_lo), rows);
                sum += pass_rows(run, thread, work, order + r, 0, rows, r, static_cast<T>(factor),
                                 gradient_w_ + thread * (net_.depth + 1), more, ahead);
            }
            if (lo == hi) clear_gradients(thread);
        }
        return sum * factor;
    }

    // `count` rows to be asked for while `rows` rows go through the first layers.
    Ahead rows_ahead(const std::int64_t* order, std::int64_t count, std::int64_t rows) const {
        const std::int64_t tiles = (rows + tile_rows - 1) / tile_rows * panels<T>(net_.layer(1).units);
        return {reinterpret_cast<const char*>(X_), order, net_.layer(1).inputs * static_cast<std::int64_t>(sizeof(T)), count,
                (count + tiles - 1) / most(tiles, 1)};
    }

    bool left_early(Running& run, int thread) const {
        if (thread == 0 && run.watch->interrupted()) __atomic_store_n(&run.quit, 2, __ATOMIC_RELAXED);
        return __atomic_load_n(&run.quit, __ATOMIC_RELAXED) != 0;
    }

    double pass_rows(Running& run, int thread, const Work<T>& work, const std::int64_t* order, std::int64_t r0,
                     std::int64_t r1, std::int64_t first_sample, T factor, T** gradients, bool accumulate, Ahead& ahead) {
        const int L = net_.depth;
        const Scratch<T>& scratch = scratch_[thread];
        gather(X_, net_.layer(1).inputs, order, 0, work.a[0], work.rows, r0, r1);
        for (std::int64_t r = r0; r < r1; ++r) __builtin_prefetch(Y_ + order[r] * net_.output.outputs);
        for (int l = 1; l < L; ++l) {
            forward_layer(net_, l, work, r0, r1, first_sample, true, scratch, ahead);
            if (tiled_ && left_early(run, thread)) return 0;
        }
        const double loss = output_layer(net_, work, r0, r1, Y_, order, factor, scratch);
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
    // ---- updates ------------------------------------------------------------------------------------------------

    // Blocks of this thread: stretches of the list with about the same number of weights.
    void share(int thread, int threads, std::int64_t& from, std::int64_t& to) const {
        from = blocks_ * thread / threads;
        to = blocks_ * (thread + 1) / threads;
    }

    // The gradient of a block, without penalty, in `out` (weights: rows of `panel`; biases: all panels in a row).
    T* gradient_of(const Block& block, std::int64_t m, int thread) {
        const Layer<T>& layer = net_.layer(block.layer);
        if (block.band < 0) return bias_gradient(block, m, thread);
        if (tiled_) {
            T* out = scratch_[thread].block;
            ask_for(block);
            gradient_block(layer, work_->a[block.layer - 1], work_->delta[block.layer], work_->rows, 0, m, block.band,
                           block.r0, block.r1, Begin::zero, out);
            return out;
        }
        const std::int64_t at = (block.band * layer.rows + block.r0) * panel<T>, size = (block.r1 - block.r0) * panel<T>;
        if (threads_ == 1) return gradient_w_[block.layer] + at;
        T* out = scratch_[thread].block;
        const T* first = gradient_w_[block.layer] + at;
        for (std::int64_t i = 0; i < size; i += lanes<T>) {
            Vec<T> sum = load(first + i);
            for (int t = 1; t < threads_; ++t) sum += load(gradient_w_[t * (net_.depth + 1) + block.layer] + at + i);
            store(out + i, sum);
        }
        return out;
    }

    // The parameters of a block, wanted as soon as its gradient is there.
    void ask_for(const Block& block) const {
        const Layer<T>& layer = net_.layer(block.layer);
        const std::int64_t at = (block.band * layer.rows + block.r0) * panel<T>, size = (block.r1 - block.r0) * panel<T>;
        constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(T));
        for (std::int64_t i = 0; i < size; i += line)
            for (int slot = 0; slot <= plan_.optimizer.slots; ++slot) __builtin_prefetch(layer.w[slot] + at + i, 1, 2);
        if (!layer.turned) return;
        const T* to = layer.turned + (block.r0 / panel<T> * layer.columns + block.band * panel<T>) * panel<T>;
        for (std::int64_t i = 0; i < least(panel<T>, layer.columns - block.band * panel<T>) * panel<T>; i += line)
            __builtin_prefetch(to + i, 1, 2);
    }

    T* bias_gradient(const Block& block, std::int64_t m, int thread) {
        const Layer<T>& layer = net_.layer(block.layer);
        T* out = bias_sum_[thread];
        for (std::int64_t p = 0; p < panels<T>(layer.units); ++p) {
            if (tiled_) {
                bias_block(work_->delta[block.layer], work_->rows, 0, m, p, false, out + p * panel<T>);
                continue;
            }
            for (std::int64_t i = p * panel<T>; i < (p + 1) * panel<T>; i += lanes<T>) {
                Vec<T> sum = load(gradient_b_[block.layer] + i);
                for (int t = 1; t < threads_; ++t) sum += load(gradient_b_[t * (net_.depth + 1) + block.layer] + i);
                store(out + i, sum);
            }
        }
        if (layer.bias == Bias::shared) {
            T sum = 0;
            for (std::int64_t j = 0; j < layer.units; ++j) sum += out[j];
            for (std::int64_t j = 0; j < layer.units; ++j) out[j] = sum;
        }
        return out;
    }

    static bool is_trained(const Layer<T>& layer, const Block& block) {
        return block.band >= 0 || layer.bias == Bias::trained || layer.bias == Bias::shared;
    }

    // The numbers of a block: its parameters and the optimizer's memory beside the gradient.
    Stretch<T> stretch(const Block& block, const T* g) const {
        const Layer<T>& layer = net_.layer(block.layer);
        Stretch<T> x{};
        x.g = g;
        x.rows = block.r1 - block.r0;
        x.vectors = block.band < 0 ? 2 : vectors_in<T>(layer.columns, block.band);
        const std::int64_t at = block.band < 0 ? 0 : (block.band * layer.rows + block.r0) * panel<T>;
        x.p = (block.band < 0 ? layer.b[0] : layer.w[0]) + at;
        for (int s = 0; s < plan_.optimizer.slots; ++s)
            x.s[s] = (block.band < 0 ? layer.b[s + 1] : layer.w[s + 1]) + at;
        return x;
    }

    void update_one(const Block& block, const StepRule<T>& rule, const T* g, Sums<T>& sums) {
        const Layer<T>& layer = net_.layer(block.layer);
        if (block.band < 0) {
            StepRule<T> of_bias = rule;
            of_bias.l1 = of_bias.l2 = 0;
            Sums<T> ignored;  // biases bear no penalty
            update(of_bias, stretch(block, g), ignored);
            clear_padding(layer.b[0], layer.units);
            return;
        }
        update(rule, stretch(block, g), sums);
        if (rule.epsilon == 0) {  // 0 / 0 in the padding
            const std::int64_t used = layer.columns - block.band * panel<T>;
            for (std::int64_t r = block.r0; r < block.r1; ++r)
                clear_padding(layer.w[0] + (block.band * layer.rows + r) * panel<T>, least(used, panel<T>));
        }
        turn(block);
    }

    static void clear_padding(T* row, std::int64_t used) {
        for (std::int64_t i = used; i < padded<T>(used); ++i) row[i] = 0;
    }
    // Inputs that only fill a panel may be anything finite; their weights have no gradient.
    void clear_block_padding(const Block& block, T* g) const {
        const Layer<T>& layer = net_.layer(block.layer);
        if (block.band < 0 || layer.units_in_lanes) return;
        const std::int64_t used = layer.columns - block.band * panel<T>;
        if (used >= panel<T>) return;
        for (std::int64_t r = 0; r < block.r1 - block.r0; ++r) clear_padding(g + r * panel<T>, used);
    }

    void update_blocks(int thread, int threads, std::int64_t m, const StepRule<T>& rule, Sums<T>& sums) {
        std::int64_t from, to;
        share(thread, threads, from, to);
        for (std::int64_t i = from; i < to; ++i) {
            const Block& block = block_[i];
            if (!is_trained(net_.layer(block.layer), block)) continue;
            T* g = gradient_of(block, m, thread);
            clear_block_padding(block, g);
            update_one(block, rule, g, sums);
        }
    }

    // Clipping by norm: first all gradients, penalties included, and their squares; then the updates.
    T* kept_gradient(const Block& block) const {
        const Layer<T>& layer = net_.layer(block.layer);
        return block.band < 0 ? gradient_b_[block.layer]
                               : gradient_w_[block.layer] + (block.band * layer.rows + block.r0) * panel<T>;
    }
    void prepare_blocks(int thread, int threads, std::int64_t m, const StepRule<T>& rule) {
        std::int64_t from, to;
        share(thread, threads, from, to);
        double norm = 0;
        for (std::int64_t i = from; i < to; ++i) {
            const Block& block = block_[i];
            const Layer<T>& layer = net_.layer(block.layer);
            if (!is_trained(layer, block)) continue;
            T *g = gradient_of(block, m, thread), *kept = kept_gradient(block);
            clear_block_padding(block, g);
            const Stretch<T> x = stretch(block, g);
            StepRule<T> own = rule;
            if (block.band < 0) own.l1 = own.l2 = 0;
            Sums<T> sums;
            prepare_norm(own, x.p, g, x.rows, x.vectors, sums);
            if (g != kept) std::memcpy(kept, g, static_cast<std::size_t>(x.rows * panel<T>) * sizeof(T));
            // a shared bias counts once
            norm += block.band < 0 && layer.bias == Bias::shared
                        ? static_cast<double>(g[0]) * static_cast<double>(g[0])
                        : static_cast<double>(add_lanes<T>(sums.squares));
        }
        parts_[thread].norm = norm;
    }
    void apply_norm(StepRule<T>& rule) const {
        double norm = 0;
        for (int t = 0; t < threads_; ++t) norm += parts_[t].norm;
        scale_to_norm(rule, plan_.clip_norm, norm);
    }
    void update_prepared(int thread, int threads, const StepRule<T>& rule, Sums<T>& sums) {
        std::int64_t from, to;
        share(thread, threads, from, to);
        for (std::int64_t i = from; i < to; ++i)
            if (is_trained(net_.layer(block_[i].layer), block_[i]))
                update_one(block_[i], rule, kept_gradient(block_[i]), sums);
    }

    // Brings the other form of the weights up to date.
    void turn(const Block& block) const {
        const Layer<T>& layer = net_.layer(block.layer);
        if (block.band < 0 || !layer.turned) return;
        const std::int64_t used = least(panel<T>, layer.columns - block.band * panel<T>);
        const T* from = layer.w[0] + (block.band * layer.rows + block.r0) * panel<T>;
        T* to = layer.turned + (block.r0 / panel<T> * layer.columns + block.band * panel<T>) * panel<T>;
        const std::int64_t height = block.r1 - block.r0;
        for (std::int64_t c = 0; c < used; c += lanes<T>)
            for (std::int64_t r = 0; r < height; r += lanes<T>) {
                if (used - c >= lanes<T> && height - r >= lanes<T>) {
                    turn_square<T>(from + r * panel<T> + c, panel<T>, to + c * panel<T> + r, panel<T>);
                    continue;
                }
                for (std::int64_t i = c; i < least(c + lanes<T>, used); ++i)
                    for (std::int64_t j = r; j < least(r + lanes<T>, height); ++j)
                        to[i * panel<T> + j] = from[j * panel<T> + i];
            }
    }

    // ---- prediction ---------------------------------------------------------------------------------------------

    void predict_slice(Predicting& p, int thread) {
        std::int64_t lo, hi;
        slice(p.rows, thread, lo, hi);
        const Work<T>& work = work_[thread];
        const Scratch<T>& scratch = scratch_[thread];
        const std::int64_t n = net_.output.outputs;
        for (std::int64_t r = lo; r < hi; r += chunk_) {
            if (thread == 0 && p.watch->interrupted()) __atomic_store_n(&p.left, 1, __ATOMIC_RELAXED);
            if (__atomic_load_n(&p.left, __ATOMIC_RELAXED)) return;
            const std::int64_t rows = least(chunk_, hi - r);
            gather(p.X, net_.layer(1).inputs, static_cast<const std::int64_t*>(nullptr), r, work.a[0], work.rows, 0, rows);
            Ahead none;
            for (int l = 1; l < net_.depth; ++l) forward_layer(net_, l, work, 0, rows, 0, false, scratch, none);
            output_product(net_, work, 0, rows);
            for (std::int64_t s = 0; s < rows; s += lanes<T>) {
                output_sums(net_, work, s, scratch);
                output_activation(net_.output, scratch.z, scratch.a);
                for (std::int64_t i = 0; i < least(lanes<T>, rows - s); ++i)
                    for (std::int64_t j = 0; j < n; ++j) p.out[(r + s + i) * n + j] = scratch.a[j * lanes<T> + i];
            }
        }
    }

    Plan plan_;
    Net<T> net_{};
    bool tiled_;
    int threads_, copies_ = 0;
    std::int64_t parameters_, blocks_ = 0, widest_ = 0, grouped_ = 0, chunk_ = 0;
    Block* block_ = nullptr;
    Parts* parts_ = nullptr;
    Work<T>* work_ = nullptr;
    Scratch<T>* scratch_ = nullptr;
    T **gradient_w_ = nullptr, **gradient_b_ = nullptr, **bias_sum_ = nullptr;
    const T *X_ = nullptr, *Y_ = nullptr;
    double squares_ = 0, absolutes_ = 0;
};

}  // namespace handgrad::HG_ISA
