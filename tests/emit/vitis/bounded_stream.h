// FIFOs of the planned depths, and processes that wait for them: a deadlock of the dataflow region
// is one here. Processes are coroutines, each running until it has to wait.
#ifndef BOUNDED_STREAM_H_
#define BOUNDED_STREAM_H_

#include <ucontext.h>

#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace shift {

struct deadlock {};

class region {
  public:
    // The region that runs; there is one at a time.
    static region *&current() {
        static region *it = nullptr;
        return it;
    }

    // hold: after so many further reads of its process a write leaves the pipeline.
    explicit region(long hold) : hold_(hold) {}

    // Runs all processes `frames` times; false where they all wait for each other.
    bool run(const std::vector<std::function<void()>> &processes, long frames) {
        current() = this;
        frames_ = frames;
        std::vector<process> all(processes.size());
        for (std::size_t i = 0; i < all.size(); ++i) start(all[i], processes[i]);
        for (bool running = true; running;) {
            running = false;
            moved_ = false;
            for (process &each : all) {
                if (each.done) continue;
                running = true;
                now_ = &each;
                swapcontext(&main_, &each.context);
            }
            if (running && !moved_) dead_ = true;
        }
        current() = nullptr;
        return !dead_;
    }

    void wait() {
        if (!dead_) swapcontext(&now_->context, &main_);
        if (dead_) throw deadlock();
    }

    void progress() { moved_ = true; }

    void write(std::function<void()> commit) {
        if (hold_ == 0) return commit();
        now_->late.emplace_back(now_->reads + hold_, std::move(commit));
    }

    void count_read() {
        ++now_->reads;
        let_go(false);
    }

  private:
    struct process {
        ucontext_t context;
        std::vector<char> stack;
        const std::function<void()> *body;
        bool done = false;
        long reads = 0;
        std::deque<std::pair<long, std::function<void()>>> late;
    };

    void start(process &each, const std::function<void()> &body) {
        each.stack.resize(1 << 18);
        each.body = &body;
        getcontext(&each.context);
        each.context.uc_stack.ss_sp = each.stack.data();
        each.context.uc_stack.ss_size = each.stack.size();
        each.context.uc_link = &main_;
        makecontext(&each.context, &region::work, 0);
    }

    static void work() {
        region &self = *current();
        process &mine = *self.now_;
        try {
            for (long frame = 0; frame < self.frames_; ++frame) {
                (*mine.body)();
                self.let_go(true);
            }
        } catch (const deadlock &) {
        }
        mine.done = true;
        self.progress();
    }

    // Writes what is due; everything at the end of a frame.
    void let_go(bool all) {
        process &mine = *now_;
        while (!mine.late.empty() && (all || mine.late.front().first <= mine.reads)) {
            const std::function<void()> commit = std::move(mine.late.front().second);
            mine.late.pop_front();
            commit();
        }
    }

    const long hold_;
    long frames_ = 0;
    ucontext_t main_;
    process *now_ = nullptr;
    bool moved_ = false;
    bool dead_ = false;
};

template <class T> class stream {
  public:
    stream(const char *, std::size_t depth) : depth_(depth) {}

    void write(const T &beat) {
        region::current()->write([this, beat] {
            while (beats_.size() >= depth_) region::current()->wait();
            beats_.push_back(beat);
            region::current()->progress();
        });
    }

    T read() {
        while (beats_.empty()) region::current()->wait();
        const T beat = beats_.front();
        beats_.pop_front();
        region::current()->progress();
        region::current()->count_read();
        return beat;
    }

    bool empty() const { return beats_.empty(); }
    std::size_t size() const { return beats_.size(); }

  private:
    const std::size_t depth_;
    std::deque<T> beats_;
};

} // namespace shift

#endif
