// How much of the node one user may take.
#ifndef MIRRORFS_AGENT_SHARED_QUOTA_H_
#define MIRRORFS_AGENT_SHARED_QUOTA_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace mirrorfs {

// Not thread-safe. Outlives its slots.
class Quota {
 public:
  // Given back when it goes.
  class Slot {
   public:
    Slot(Slot&& other) noexcept : quota_(std::exchange(other.quota_, nullptr)), user_(std::move(other.user_)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(quota_, other.quota_);
      std::swap(user_, other.user_);
      return *this;
    }
    ~Slot() {
      if (quota_ != nullptr) quota_->GiveBack(user_);
    }

   private:
    friend class Quota;
    Slot(Quota& quota, std::string user) : quota_(&quota), user_(std::move(user)) {}

    Quota* quota_;
    std::string user_;
  };

  Quota(size_t per_user, size_t in_all) : per_user_(per_user), in_all_(in_all) {}
  Quota(const Quota&) = delete;

  size_t per_user() const { return per_user_; }
  size_t taken() const { return taken_; }

  // Nothing if the user, or all together, have as many as they may.
  std::optional<Slot> Take(const std::string& user) {
    if (taken_ >= in_all_) return std::nullopt;
    size_t& of_user = by_user_[user];
    if (of_user >= per_user_) {
      if (of_user == 0) by_user_.erase(user);
      return std::nullopt;
    }
    ++of_user;
    ++taken_;
    return Slot(*this, user);
  }

 private:
  void GiveBack(const std::string& user) {
    --taken_;
    const auto found = by_user_.find(user);
    if (--found->second == 0) by_user_.erase(found);
  }

  const size_t per_user_;
  const size_t in_all_;
  size_t taken_ = 0;
  std::map<std::string, size_t> by_user_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_QUOTA_H_
