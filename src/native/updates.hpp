// From the deltas (tiled) or the gradients of the slices (sliced) to new parameters, block by block.
#pragma once

#include "memory.hpp"
#include "optimizers.hpp"

namespace handgrad::HG_ISA {

template <class T>
class PanelUpdates : protected PanelMemory<T> {
  protected:
    using Memory = PanelMemory<T>;
    using Memory::bias_sum_, Memory::block_, Memory::blocks_, Memory::gradient_b_, Memory::gradient_w_, Memory::net_;
    using Memory::held_, Memory::parameters_, Memory::plan_, Memory::scratch_, Memory::sums_, Memory::threads_;
    using Memory::tiled_, Memory::work_;
    using typename Memory::Block;

    // What a step leaves for the update: its rows, and the sums of its slices.
    struct Left {
        std::int64_t rows;
        int leaves = 0;
        Leaf leaf[most_slices];
    };
    Left left_of(std::int64_t rows) const {
        Left left;
        left.rows = rows;
        if (!tiled_) left.leaves = list_leaves(slices_of(rows, parameters_), threads_, held_, left.leaf);
        return left;
    }
    T* gradient_w(int copy, int layer) const { return gradient_w_[copy * (net_.depth + 1) + layer]; }
    T* gradient_b(int copy, int layer) const { return gradient_b_[copy * (net_.depth + 1) + layer]; }

    explicit PanelUpdates(const Plan& plan) : Memory(plan) {}

    // Blocks of this thread: stretches of the list with about the same number of weights.
    void share(int thread, int threads, std::int64_t& from, std::int64_t& to) const {
        from = blocks_ * thread / threads;
        to = blocks_ * (thread + 1) / threads;
    }

    // The gradient of a block, without penalty, in `out` (weights: rows of `panel`; biases: all panels in a row).
    T* gradient_of(const Block& block, const Left& left, int thread) {
        const Layer<T>& layer = net_.layer(block.layer);
        if (block.band < 0) return bias_gradient(block, left, thread);
        if (tiled_) {
            T* out = scratch_[thread].block;
            ask_for(block);
            gradient_block(layer, work_->a[block.layer - 1], work_->delta[block.layer], work_->rows, 0, left.rows, block.band,
                           block.r0, block.r1, Begin::zero, out);
            return out;
        }
        const std::int64_t at = (block.band * layer.rows + block.r0) * panel<T>, size = (block.r1 - block.r0) * panel<T>;
        if (left.leaves == 1) return gradient_w(left.leaf[0].copy, block.layer) + at;
        T* out = scratch_[thread].block;
        const std::int64_t step = vectors_in<T>(layer.columns, block.band) == 1 ? panel<T> : lanes<T>;
        for (std::int64_t i = 0; i < size; i += step)
            store(out + i, sum_of_leaves<T>(left.leaf, left.leaves, [&](int copy) __attribute__((always_inline)) {
                      return gradient_w(copy, block.layer) + at + i;
                  }));
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

    T* bias_gradient(const Block& block, const Left& left, int thread) {
        const Layer<T>& layer = net_.layer(block.layer);
        T* out = bias_sum_[thread];
        for (std::int64_t p = 0; p < panels<T>(layer.units); ++p) {
            if (tiled_) {
                bias_block(work_->delta[block.layer], work_->rows, 0, left.rows, p, false, out + p * panel<T>);
                continue;
            }
            for (std::int64_t i = p * panel<T>; i < (p + 1) * panel<T>; i += lanes<T>)
                store(out + i, sum_of_leaves<T>(left.leaf, left.leaves, [&](int copy) __attribute__((always_inline)) {
                          return gradient_b(copy, block.layer) + i;
                      }));
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

    // `set`: which of the two sets of sums takes what the new parameters add up to.
    void update_one(const Block& block, const StepRule<T>& rule, const T* g, int set) {
        const Layer<T>& layer = net_.layer(block.layer);
        if (block.band < 0) {
            StepRule<T> of_bias = rule;
            of_bias.l1 = of_bias.l2 = 0;
            Sums<T> ignored;  // biases bear no penalty
            update(of_bias, stretch(block, g), ignored);
            clear_padding(layer.b[0], layer.units);
            return;
        }
        Sums<T> sums;
        update(rule, stretch(block, g), sums);
        if (rule.penalized) keep_sums(&block - block_, set, sums);
        if (rule.epsilon == 0) {  // 0 / 0 in the padding
            const std::int64_t used = layer.columns - block.band * panel<T>;
            for (std::int64_t r = block.r0; r < block.r1; ++r)
                clear_padding(layer.w[0] + (block.band * layer.rows + r) * panel<T>, least(used, panel<T>));
        }
        turn(block);
    }

    void keep_sums(std::int64_t block, int set, const Sums<T>& sums) {
        sums_.squares[set][block] = static_cast<double>(add_lanes<T>(sums.squares));
        sums_.absolutes[set][block] = static_cast<double>(add_lanes<T>(sums.absolutes));
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

    void update_blocks(int thread, int threads, const Left& left, const StepRule<T>& rule, int set) {
        std::int64_t from, to;
        share(thread, threads, from, to);
        for (std::int64_t i = from; i < to; ++i) {
            const Block& block = block_[i];
            if (!is_trained(net_.layer(block.layer), block)) continue;
            T* g = gradient_of(block, left, thread);
            clear_block_padding(block, g);
            update_one(block, rule, g, set);
        }
    }

    // Clipping by norm: first all gradients, penalties included, and their squares; then the updates.
    T* kept_gradient(const Block& block) const {
        const Layer<T>& layer = net_.layer(block.layer);
        return block.band < 0 ? gradient_b_[block.layer]
                               : gradient_w_[block.layer] + (block.band * layer.rows + block.r0) * panel<T>;
    }
    void prepare_blocks(int thread, int threads, const Left& left, const StepRule<T>& rule) {
        std::int64_t from, to;
        share(thread, threads, from, to);
        for (std::int64_t i = from; i < to; ++i) {
            const Block& block = block_[i];
            const Layer<T>& layer = net_.layer(block.layer);
            if (!is_trained(layer, block)) continue;
            T *g = gradient_of(block, left, thread), *kept = kept_gradient(block);
            clear_block_padding(block, g);
            const Stretch<T> x = stretch(block, g);
            StepRule<T> own = rule;
            if (block.band < 0) own.l1 = own.l2 = 0;
            Sums<T> sums;
            prepare_norm(own, x.p, g, x.rows, x.vectors, sums);
            if (g != kept) std::memcpy(kept, g, static_cast<std::size_t>(x.rows * panel<T>) * sizeof(T));
            // a shared bias counts once
            sums_.norm[i] = block.band < 0 && layer.bias == Bias::shared
                                ? static_cast<double>(g[0]) * static_cast<double>(g[0])
                                : static_cast<double>(add_lanes<T>(sums.squares));
        }
    }
    void apply_norm(StepRule<T>& rule) const {
        scale_to_norm(rule, plan_.clip_norm, sum_of(sums_.norm, blocks_ + table_parts));
    }
    void update_prepared(int thread, int threads, const StepRule<T>& rule, int set) {
        std::int64_t from, to;
        share(thread, threads, from, to);
        for (std::int64_t i = from; i < to; ++i)
            if (is_trained(net_.layer(block_[i].layer), block_[i]))
                update_one(block_[i], rule, kept_gradient(block_[i]), set);
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
};

}  // namespace handgrad::HG_ISA
