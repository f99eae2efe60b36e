#ifndef MIRRORFS_FUSEFS_REMOTE_DEADLINE_H_
#define MIRRORFS_FUSEFS_REMOTE_DEADLINE_H_

#include <grpcpp/client_context.h>

#include <stop_token>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace mirrorfs {

// Gives a gRPC call its deadline, and cancels it when a stop is requested or its line is given up. Lives as long as the
// call.
class BoundedContext {
 public:
  BoundedContext(absl::Time deadline, const std::stop_token& stop, const std::stop_token& given_up)
      : cancel_(stop, Cancel{&context_}), give_up_(given_up, Cancel{&context_}) {
    if (deadline != absl::InfiniteFuture()) context_.set_deadline(absl::ToChronoTime(deadline));
  }
  grpc::ClientContext& Get() { return context_; }

 private:
  struct Cancel {
    grpc::ClientContext* context;
    void operator()() const { context->TryCancel(); }
  };

  grpc::ClientContext context_;
  std::stop_callback<Cancel> cancel_;
  std::stop_callback<Cancel> give_up_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_DEADLINE_H_
