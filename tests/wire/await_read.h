// Reads that are answered later, waited for.
#ifndef MIRRORFS_TESTS_WIRE_AWAIT_READ_H_
#define MIRRORFS_TESTS_WIRE_AWAIT_READ_H_

#include <future>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "protos/shared/deferred_reads.h"

namespace mirrorfs {

inline absl::StatusOr<absl::Cord> AwaitRead(absl::FunctionRef<void(ReadDone)> start) {
  const auto told = std::make_shared<std::promise<absl::StatusOr<absl::Cord>>>();
  std::future<absl::StatusOr<absl::Cord>> answer = told->get_future();
  start([told](absl::StatusOr<absl::Cord> data) { told->set_value(std::move(data)); });
  return answer.get();
}

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_AWAIT_READ_H_
