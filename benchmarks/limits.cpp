// What this processor can do at most, measured: `limits THREADS` prints one line of JSON.
//
// fma: multiplications and additions in registers, float32, operations a second, all threads together.
// bandwidth: bytes a second of reading and rewriting arrays that fit the second-level cache, the third, and neither.
// throughput: seconds for a float of exp, tanh, sigmoid and one Adam update, in the first-level cache, one thread.
// latency: seconds of one sigmoid, one fused multiply-add, one root and one division that wait for each other.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int bytes = 64;
#elif defined(__AVX__)
constexpr int bytes = 32;
#else
constexpr int bytes = 16;
#endif
constexpr int lanes = bytes / 4;
typedef float vf __attribute__((vector_size(bytes)));
typedef std::int32_t vi __attribute__((vector_size(bytes)));

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

vf all(float x) { return x - vf{}; }

// exp by 2^n p(r) with r in [-ln 2 / 2, ln 2 / 2] and a polynomial of degree 6: about 2 ulp, as trainers need it
inline vf exp_of(vf x) {
    const vf n_float = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the whole number is left in the low bits
    const vf n = n_float - 12582912.0f;
    const vf r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
    vf p = all(1.0f / 720);
    for (float c : {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) p = p * r + c;
    const vi bits = ((vi)n_float << 23) + (vi)p;
    return (vf)bits;
}
inline vf sigmoid_of(vf x) { return 1.0f / (1.0f + exp_of(-x)); }
inline vf tanh_of(vf x) { return 1.0f - 2.0f / (1.0f + exp_of(2.0f * x)); }
inline vf root_of(vf x) {
    vf y;
    for (int i = 0; i < lanes; ++i) y[i] = std::sqrt(x[i]);
    return y;
}

volatile float sink;
void keep(vf x) { sink = x[0] + x[lanes - 1]; }

// the best of several bursts of about 20 ms: what can be reached, not what a busy moment leaves
template <class Work> double best_of(Work work, double operations) {
    double best = 0;
    for (int burst = 0; burst < 8; ++burst) {
        double done = 0, begun = now(), taken = 0;
        while (taken < 0.02) work(), done += operations, taken = now() - begun;
        if (done / taken > best) best = done / taken;
    }
    return best;
}

double fma_rate() {
    constexpr int chains = 12;  // more than latency times units, fewer than registers
    vf sums[chains];
    for (int i = 0; i < chains; ++i) sums[i] = all(1.0f + float(i));
    vf a = all(0.999f), b = all(0.001f);
    asm volatile("" : "+x"(a), "+x"(b));
    const double rate = best_of(
        [&] {
            vf s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3], s4 = sums[4], s5 = sums[5];
            vf s6 = sums[6], s7 = sums[7], s8 = sums[8], s9 = sums[9], s10 = sums[10], s11 = sums[11];
            for (int k = 0; k < 8192; ++k) {
                s0 = s0 * a + b, s1 = s1 * a + b, s2 = s2 * a + b, s3 = s3 * a + b;
                s4 = s4 * a + b, s5 = s5 * a + b, s6 = s6 * a + b, s7 = s7 * a + b;
                s8 = s8 * a + b, s9 = s9 * a + b, s10 = s10 * a + b, s11 = s11 * a + b;
            }
            sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3, sums[4] = s4, sums[5] = s5;
            sums[6] = s6, sums[7] = s7, sums[8] = s8, sums[9] = s9, sums[10] = s10, sums[11] = s11;
        },
        8192.0 * chains * lanes * 2);
    for (vf s : sums) keep(s);
    return rate;
}

double bandwidth(std::size_t size) {
    const std::size_t count = size / bytes;
    std::unique_ptr<vf, void (*)(void*)> memory(static_cast<vf*>(std::aligned_alloc(4096, count * bytes)), std::free);
    vf* x = memory.get();
    for (std::size_t i = 0; i < count; ++i) x[i] = all(1.0f);
    const double rate = best_of(
        [&] {
            for (std::size_t i = 0; i < count; i += 4) {
                x[i] = x[i] * 0.5f + 0.5f, x[i + 1] = x[i + 1] * 0.5f + 0.5f;
                x[i + 2] = x[i + 2] * 0.5f + 0.5f, x[i + 3] = x[i + 3] * 0.5f + 0.5f;
            }
            asm volatile("" ::: "memory");
        },
        2.0 * double(count) * bytes);
    keep(x[count / 2]);
    return rate;
}

template <class F> double seconds_a_float(F f) {
    constexpr int count = 256;
    alignas(64) static thread_local vf in[count], out[count];
    for (int i = 0; i < count; ++i) in[i] = all(0.01f * float(i - 128));
    const double rate = best_of(
        [&] {
            for (int i = 0; i < count; ++i) out[i] = f(in[i]);
            asm volatile("" ::: "memory");
        },
        double(count) * lanes);
    keep(out[7]);
    return 1 / rate;
}

double adam_seconds() {
    constexpr int count = 64;
    alignas(64) static thread_local vf W[count], m[count], v[count], g[count];
    for (int i = 0; i < count; ++i) W[i] = m[i] = all(0.1f), v[i] = all(0.01f), g[i] = all(0.001f * float(i));
    const double rate = best_of(
        [&] {
            for (int i = 0; i < count; ++i) {
                m[i] = m[i] * 0.9f + g[i] * 0.1f;
                v[i] = v[i] * 0.999f + g[i] * g[i] * 0.001f;
                W[i] = W[i] - 0.001f * m[i] / (root_of(v[i]) + 1e-8f);
            }
            asm volatile("" ::: "memory");
        },
        double(count) * lanes);
    keep(W[3]);
    return 1 / rate;
}

template <class F> double latency(F f) {
    float x = 0.5f;
    const double rate = best_of(
        [&] {
            for (int k = 0; k < 4096; ++k) {
                x = f(x);
                asm volatile("" : "+x"(x));
            }
        },
        4096);
    sink = x;
    return 1 / rate;
}

double together(int threads, double (*work)()) {
    if (threads == 1) return work();
    std::vector<double> rates(threads);
    std::atomic<int> ready{0};
    std::vector<std::thread> pool;
    for (int t = 0; t < threads; ++t)
        pool.emplace_back([&, t] {
            ++ready;
            while (ready.load() < threads) {
            }
            rates[t] = work();
        });
    double sum = 0;
    for (int t = 0; t < threads; ++t) pool[t].join(), sum += rates[t];
    return sum;
}

}  // namespace

int main(int count, char** arguments) {
    const int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    const double fma = together(threads, fma_rate);
    const double l2 = together(threads, [] { return bandwidth(std::size_t(512) << 10); });
    const double l3 = together(threads, [] { return bandwidth(std::size_t(8) << 20); });
    const double memory = together(threads, [] { return bandwidth(std::size_t(192) << 20); });
    std::printf("{\"threads\": %d, \"fma\": %.6g, \"bandwidth\": [%.6g, %.6g, %.6g], ", threads, fma, l2, l3, memory);
    std::printf("\"exp\": %.6g, \"tanh\": %.6g, \"sigmoid\": %.6g, \"adam\": %.6g, ", seconds_a_float(exp_of),
                seconds_a_float(tanh_of), seconds_a_float(sigmoid_of), adam_seconds());
    std::printf("\"latency\": {\"sigmoid\": %.6g, \"fma\": %.6g, \"root\": %.6g, \"division\": %.6g}}\n",
                latency([](float x) { return sigmoid_of(all(x))[0]; }),
                latency([](float x) { return x * 0.999f + 0.001f; }), latency([](float x) { return std::sqrt(x); }),
                latency([](float x) { return 1.0f / x; }));
}
