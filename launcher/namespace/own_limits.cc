#include "launcher/namespace/own_limits.h"

namespace mirrorfs {

rlimit RaiseLimit(__rlimit_resource resource) {
  rlimit before = {};
  ::getrlimit(resource, &before);
  const rlimit raised = {.rlim_cur = before.rlim_max, .rlim_max = before.rlim_max};
  ::setrlimit(resource, &raised);
  return before;
}

OwnLimits::OwnLimits() : descriptors_(RaiseLimit(RLIMIT_NOFILE)), file_size_(RaiseLimit(RLIMIT_FSIZE)) {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignore, &file_size_signal_);
}

OwnLimits::~OwnLimits() {
  ::setrlimit(RLIMIT_NOFILE, &descriptors_);
  ::setrlimit(RLIMIT_FSIZE, &file_size_);
  ::sigaction(SIGXFSZ, &file_size_signal_, nullptr);
}

}  // namespace mirrorfs
