// The limits of the program that is to be started do not hold for what has to be done before.
#ifndef MIRRORFS_LAUNCHER_NAMESPACE_OWN_LIMITS_H_
#define MIRRORFS_LAUNCHER_NAMESPACE_OWN_LIMITS_H_

#include <signal.h>
#include <sys/resource.h>

namespace mirrorfs {

// The soft limit becomes the hard one, which is always allowed; gives what it was before.
rlimit RaiseLimit(__rlimit_resource resource);

// As long as it lives, this process may have as many descriptors and write files as large as its hard limits allow, and
// a write beyond that is an error, not a signal. Then all is as it was.
class OwnLimits {
 public:
  OwnLimits();
  ~OwnLimits();
  OwnLimits(const OwnLimits&) = delete;

 private:
  rlimit descriptors_ = {};
  rlimit file_size_ = {};
  struct sigaction file_size_signal_ = {};
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_NAMESPACE_OWN_LIMITS_H_
