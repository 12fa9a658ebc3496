// The memory of a training on panels: one block, laid out once, from the plan alone.
#pragma once

#include "network.hpp"
#include "slices.hpp"

namespace handgrad::HG_ISA {

template <class T>
class PanelMemory {
  protected:
    explicit PanelMemory(const Plan& plan) : plan_(plan) {
        parameters_ = 0;
        for (int l = 0; l < plan.depth; ++l)
            parameters_ += plan.layers[l].units * (plan.layers[l].inputs + 1);
        tiled_ = !plan.predict_only && (plan.gathered || plan.path == Path::tiled || (plan.path == Path::automatic &&
                 parameters_ > 32768 && plan.largest_batch < 2048));
        threads_ = plan.threads;
    }

    // Rows [r0, r1) of one panel (`band`) of a layer's weights; band -1: the layer's biases.
    struct Block {
        std::int32_t layer, band;
        std::int64_t r0, r1;
    };
    // What the parameters of each block add up to, and behind them parts of the table of categories; two sets, used in turn by even and odd steps.
    struct BlockSums {
        double *squares[2], *absolutes[2], *norm;
    };

    // Bytes that lay_out will hand out.
    static std::int64_t needed(const Plan& plan) {
        PanelMemory counted(plan);
        return counted.lay_out(nullptr);
    }

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
        lay_out_table(arena, base != nullptr);
        net_.output = {plan_.loss.kind, plan_.layers[L - 1].function, static_cast<T>(plan_.layers[L - 1].alpha),
                       static_cast<T>(plan_.loss.threshold), plan_.layers[L - 1].units};
        block_ = arena.template take<Block>(blocks_);
        if (base) list_blocks();
        for (int set = 0; set < 2; ++set) {
            sums_.squares[set] = arena.template take<double>(blocks_ + table_parts);
            sums_.absolutes[set] = arena.template take<double>(blocks_ + table_parts);
        }
        sums_.norm = arena.template take<double>(blocks_ + table_parts);
        losses_ = arena.template take<double>(plan_.largest_batch / lanes<T> + 1);
        shares_ = arena.template take<double>(most_shares);
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

    // The rows of weights of the categories.
    void lay_out_table(Arena& arena, bool real) {
        Gathered<T>& g = net_.gathered;
        g = {};
        if (plan_.gathered == 0) return;
        g.columns = plan_.gathered;
        g.numbers = plan_.layers[0].inputs;
        g.units = plan_.layers[0].units;
        g.first = arena.template take<std::int64_t>(g.columns);
        g.counts = arena.template take<std::int64_t>(g.columns);
        for (int j = 0; j < g.columns; ++j) {
            if (real) g.first[j] = g.rows, g.counts[j] = plan_.counts[j];
            g.rows += plan_.counts[j];
        }
        for (int slot = 0; slot <= (plan_.predict_only ? 0 : plan_.optimizer.slots); ++slot)
            g.w[slot] = arena.template take<T>(g.rows * g.width());
        if (plan_.predict_only) return;
        if (plan_.clip_norm > 0) g.kept = arena.template take<T>(g.rows * g.width());
        g.head = arena.template take<std::int32_t>(g.rows);
        g.next = arena.template take<std::int32_t>(plan_.largest_batch * g.columns);
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
        std::int64_t rows = plan_.largest_batch;
        if (!tiled_) {
            std::int64_t most_rows = 131072 / (row_size * static_cast<std::int64_t>(sizeof(T))) / 48 * 48;
            most_rows = least(most(most_rows, 48), 384);
            // a slice in chunks of about that size; for predictions, which have no slices, the rows of a thread
            const std::int64_t parts = plan_.predict_only ? threads_ : slices_of(rows, parameters_);
            const std::int64_t slice = ((rows + lanes<T> - 1) / lanes<T> + parts - 1) / parts * lanes<T>;
            const std::int64_t chunks = plan_.predict_only ? (slice + most_rows - 1) / most_rows : most(1, (slice + most_rows / 2) / most_rows);
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
            w.places = arena.template take<std::int32_t>(rows * plan_.gathered);
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

    // Gradients: of each thread the sums that it holds (sliced), or one where all must be known before any is used (norm).
    void lay_out_gradients(Arena& arena, bool real) {
        held_ = most_sums_held(slices_of(plan_.largest_batch, parameters_), threads_);
        copies_ = plan_.predict_only ? 0 : tiled_ ? (plan_.clip_norm > 0 ? 1 : 0) : threads_ * held_;
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

    Plan plan_;
    Net<T> net_{};
    bool tiled_;
    int threads_, held_ = 1, copies_ = 0;
    std::int64_t parameters_, blocks_ = 0, widest_ = 0, grouped_ = 0, chunk_ = 0;
    Block* block_ = nullptr;
    BlockSums sums_{};
    double* losses_ = nullptr;  // of each group of rows of the batch
    double* shares_ = nullptr;  // of the loss of a prediction
    Work<T>* work_ = nullptr;
    Scratch<T>* scratch_ = nullptr;
    T **gradient_w_ = nullptr, **gradient_b_ = nullptr, **bias_sum_ = nullptr;
};

}  // namespace handgrad::HG_ISA
