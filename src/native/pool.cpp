#include "pool.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif

namespace handgrad {

namespace {

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Waiting threads spin first, because steps of a small net meet within a microsecond or two; then they sleep, because
// a partner that the scheduler has sent away comes back sooner where a CPU is idle. How long to spin is learned: on a
// busy machine long spins made steps ten times slower (measured), so each one that fails halves the next.
constexpr int longest_spin = 2000, shortest_spin = 50;

//
// Threads meet in groups of eight, the last one of each group in the middle: so no counter is written and no flag is
// watched by more than a few, and what one writes lies on a cache line of its own.
class Barrier {
  public:
    explicit Barrier(int size)
        : size_(size), groups_((size + of_group - 1) / of_group), group_(new Group[static_cast<std::size_t>(groups_)]) {}

    void meet(int thread) {
        const int g = thread / of_group;
        Group& own = group_[static_cast<std::size_t>(g)];
        const unsigned round = own.round.load(std::memory_order_acquire);
        const int members = g + 1 < groups_ ? of_group : size_ - g * of_group;
        if (own.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == members) {
            own.arrived.store(0, std::memory_order_relaxed);
            if (groups_ == 1) return release(own);
            if (complete_.fetch_add(1, std::memory_order_acq_rel) + 1 == groups_) {
                complete_.store(0, std::memory_order_relaxed);
                for (int i = 0; i < groups_; ++i) release(group_[static_cast<std::size_t>(i)]);
                return;
            }
        }
        wait(own, round);
    }

  private:
    static constexpr int of_group = 8;
    struct Group {
        alignas(64) std::atomic<int> arrived{0};
        alignas(64) std::atomic<unsigned> round{0};
        // not on the line that all spin on: each success writes it
        alignas(64) std::atomic<int> patience{longest_spin};
    };

    static void release(Group& group) {
        group.round.fetch_add(1, std::memory_order_acq_rel);
        group.round.notify_all();
    }
    static void wait(Group& own, unsigned round) {
        const int patience = own.patience.load(std::memory_order_relaxed);
        for (int i = 0; i < patience; ++i) {
            if (own.round.load(std::memory_order_acquire) != round) {
                if (patience < longest_spin) own.patience.store(patience + 1 + patience / 16, std::memory_order_relaxed);
                return;
            }
            relax();
        }
        own.patience.store(patience / 2 > shortest_spin ? patience / 2 : shortest_spin, std::memory_order_relaxed);
        while (own.round.load(std::memory_order_acquire) == round) own.round.wait(round, std::memory_order_acquire);
    }

    const int size_, groups_;
    const std::unique_ptr<Group[]> group_;
    alignas(64) std::atomic<int> complete_{0};
};

#ifdef __linux__
using Cpus = cpu_set_t;
Cpus cpus_of_caller() {
    Cpus cpus;
    CPU_ZERO(&cpus);
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
        for (int i = 0; i < CPU_SETSIZE; ++i) CPU_SET(i, &cpus);
    return cpus;
}
#endif

// A thread that waits for work.
class Worker {
  public:
    Worker() {
        std::thread([this] { serve(); }).detach();
    }

    void begin(Team::Job job, void* context, int number) {
        {
            const std::lock_guard lock(mutex_);
            job_ = job, context_ = context, number_ = number;
            busy_ = true;
        }
        changed_.notify_one();
    }
    void await() {
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [this] { return !busy_; });
    }

  private:
    [[noreturn]] void serve() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return busy_; });
            lock.unlock();
            job_(context_, number_);
            lock.lock();
            busy_ = false;
            idle_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_, idle_;
    Team::Job job_ = nullptr;
    void* context_ = nullptr;
    int number_ = 0;
    bool busy_ = false;
};

// Workers without work. Never destroyed: its threads wait in it until the process ends.
struct Pool {
    std::mutex mutex;
    std::vector<Worker*> idle;
};

std::atomic<Pool*> current{nullptr};

// A child process has none of its parent's threads, and perhaps a locked mutex: it begins with a new pool.
void forget_pool() { current.store(nullptr); }

Pool& pool() {
#ifdef __linux__
    static const int registered = pthread_atfork(nullptr, nullptr, forget_pool);
    static_cast<void>(registered);
#endif
    Pool* known = current.load();
    if (known != nullptr) return *known;
    auto fresh = std::make_unique<Pool>();
    if (current.compare_exchange_strong(known, fresh.get())) return *fresh.release();
    return *known;
}

class LeasedTeam final : public Team {
  public:
    explicit LeasedTeam(int size) : home_(pool()), barrier_(size) {
        {
            const std::lock_guard lock(home_.mutex);
            while (static_cast<int>(workers_.size()) < size - 1 && !home_.idle.empty()) {
                workers_.push_back(home_.idle.back());
                home_.idle.pop_back();
            }
        }
        while (static_cast<int>(workers_.size()) < size - 1) workers_.push_back(new Worker);
    }
    ~LeasedTeam() override {
        const std::lock_guard lock(home_.mutex);
        for (Worker* worker : workers_) home_.idle.push_back(worker);
    }

    void run(Job job, void* context) override {
        struct Call {
            Job job;
            void* context;
#ifdef __linux__
            Cpus cpus;
#endif
        } call{};
        call.job = job;
        call.context = context;
#ifdef __linux__
        call.cpus = cpus_of_caller();
#endif
        const Job begin = [](void* from, int number) {
            const Call& c = *static_cast<Call*>(from);
#ifdef __linux__
            // a worker keeps to the CPUs that its caller may use now
            sched_setaffinity(0, sizeof c.cpus, &c.cpus);
#endif
            c.job(c.context, number);
        };
        for (int i = 0; i < static_cast<int>(workers_.size()); ++i) workers_[static_cast<std::size_t>(i)]->begin(begin, &call, i + 1);
        job(context, 0);
        for (Worker* worker : workers_) worker->await();
    }
    void meet(int thread) override {
        if (!workers_.empty()) barrier_.meet(thread);
    }
    int size() const override { return static_cast<int>(workers_.size()) + 1; }

  private:
    Pool& home_;
    std::vector<Worker*> workers_;
    Barrier barrier_;
};

}  // namespace

int allowed_cpus() {
#ifdef __linux__
    const Cpus cpus = cpus_of_caller();
    const int count = CPU_COUNT(&cpus);
    return count > 0 ? count : 1;
#else
    const int count = static_cast<int>(std::thread::hardware_concurrency());
    return count > 0 ? count : 1;
#endif
}

std::unique_ptr<Team> lease_team(int size) { return std::make_unique<LeasedTeam>(size); }

}  // namespace handgrad
