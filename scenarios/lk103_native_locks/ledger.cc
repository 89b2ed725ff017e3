/*
 * Two ledgers of a C++ program are settled against each other by two threads, each of which takes the two mutexes in its own order.
 * What waits is std::lock_guard, deep in the compiler's headers; optimized, all of it is inlined into the thread's function, and
 * not optimized each of its steps has a frame of its own.
 */
#include <mutex>
#include <thread>

#include "common.h"

namespace {

class Ledger {
public:
    void settle(Ledger &other)
    {
        const std::lock_guard<std::mutex> own(lock_);
        pthread_barrier_wait(&everybody_has_one);
        GUILTY((void)0); const std::lock_guard<std::mutex> others(other.lock_); // <- guilty
        sum_ += other.sum_;
        other.sum_ = 0;
    }

private:
    std::mutex lock_;
    long sum_ = 1;
};

Ledger savings, loans;

} // namespace

int main()
{
    begin();
    pthread_barrier_init(&everybody_has_one, nullptr, 2);
    std::thread one([] { savings.settle(loans); }), other([] { loans.settle(savings); });
    one.join();
    other.join();
    return 0;
}
