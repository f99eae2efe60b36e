// What all sessions together may take of something that the agent has only so much of, and how it is shared out.
#ifndef MIRRORFS_AGENT_SERVICE_BUDGET_H_
#define MIRRORFS_AGENT_SERVICE_BUDGET_H_

#include <cstddef>
#include <memory>

#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe; its lock is an innermost one.
//
// Nobody has a fixed part: a session may have four times as much as is left to all after it has taken. So one alone may
// have four fifths, and however many take what they can, there is a part left for whoever comes next (ADR 50).
class Budget {
 public:
  struct Options {
    size_t total = 0;
    // So much each session may have in any case, until all together are a reserve beyond the total.
    size_t always = 0;
    size_t reserve = 0;
  };

  // Of one session. Thread-safe.
  class Share {
   public:
    explicit Share(std::shared_ptr<Budget> budget) : budget_(std::move(budget)) {}
    Share(const Share&) = delete;
    ~Share();  // gives back what is left

    // False: it would be too much, and nothing was taken.
    bool Take(size_t amount);
    // For what has been let in already, and is now known to be larger.
    void Add(size_t amount);
    void GiveBack(size_t amount);

   private:
    const std::shared_ptr<Budget> budget_;
    size_t taken_ ABSL_GUARDED_BY(budget_->mutex_) = 0;
  };

  explicit Budget(Options options) : options_(options) {}

  size_t Taken() const;

 private:
  const Options options_;
  mutable Mutex mutex_;
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_BUDGET_H_
