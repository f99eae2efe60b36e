#include "agent/service/budget.h"

namespace mirrorfs {
namespace {

constexpr size_t kPartOfLeft = 4;

}  // namespace

Budget::Share::~Share() {
  const MutexLock lock(budget_->mutex_);
  budget_->taken_ -= taken_;
}

bool Budget::Share::Take(size_t amount) {
  const Options& options = budget_->options_;
  const MutexLock lock(budget_->mutex_);
  const size_t after = budget_->taken_ + amount;
  const size_t left = after < options.total ? options.total - after : 0;
  const bool fair = taken_ + amount <= kPartOfLeft * left;
  const bool modest = taken_ + amount <= options.always && after <= options.total + options.reserve;
  if (!fair && !modest) return false;
  taken_ += amount;
  budget_->taken_ = after;
  return true;
}

void Budget::Share::Add(size_t amount) {
  const MutexLock lock(budget_->mutex_);
  taken_ += amount;
  budget_->taken_ += amount;
}

void Budget::Share::GiveBack(size_t amount) {
  const MutexLock lock(budget_->mutex_);
  taken_ -= amount;
  budget_->taken_ -= amount;
}

size_t Budget::Taken() const {
  const MutexLock lock(mutex_);
  return taken_;
}

}  // namespace mirrorfs
