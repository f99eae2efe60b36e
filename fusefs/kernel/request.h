// One request of the kernel, answered exactly once: by one of the answers below, or with EIO when it is dropped.
#ifndef MIRRORFS_FUSEFS_KERNEL_REQUEST_H_
#define MIRRORFS_FUSEFS_KERNEL_REQUEST_H_

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "fusefs/core/answers.h"
#include "fusefs/kernel/edge.h"
#include "fusefs/kernel/fuse_api.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// Used by one thread at a time. It stays where it was made: libfuse knows its address.
class Request {
 public:
  // The interrupts that give it up: those of a killed program, or all that a program would see.
  enum class StopOn : uint8_t { kKill, kAnySignal };

  Request(fuse_req_t request, FuseOperation operation, StopOn stop_on = StopOn::kKill);
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  FilesystemCore& core() const { return *edge_.core; }
  Edge& edge() const { return edge_; }
  // Who asks, without supplementary groups.
  const CallContext& context() const { return context_; }
  // With them, where they can matter.
  CallContext ContextWithGroups() const;
  uint32_t umask() const;

  // --- Answers, one for each shape. The first one counts.
  void Answer(const absl::Status& status);
  void Answer(const absl::StatusOr<EntryAnswer>& entry);
  void Answer(const absl::StatusOr<AttrAnswer>& attributes);
  void Answer(const absl::StatusOr<OpenAnswer>& open, const fuse_file_info& info);
  void Answer(const absl::StatusOr<CreateAnswer>& created, const fuse_file_info& info);
  void AnswerOpenDir(const absl::StatusOr<HandleId>& handle, const fuse_file_info& info);
  void AnswerTarget(const absl::StatusOr<std::string>& target);
  void AnswerData(const absl::StatusOr<absl::Cord>& data);
  void AnswerWritten(const absl::StatusOr<uint64_t>& count);
  void AnswerOffset(const absl::StatusOr<uint64_t>& offset);
  void Answer(const absl::StatusOr<FileSystemStatistics>& statistics);
  void Answer(const absl::StatusOr<LockRange>& lock);
  // `size`: the room that the program has; 0: it asks how much it needs.
  void AnswerXattr(const absl::StatusOr<std::string>& value, size_t size);
  void AnswerNothing();  // FORGET
  // Names; false: the kernel did not take them.
  bool AnswerNames(const std::vector<char>& buffer);

  fuse_req_t raw() const { return request_; }

 private:
  static void OnInterrupt(fuse_req_t request, void* self);
  // True for the first answer. After that the request is libfuse's no more.
  bool Claim();
  bool Failed(const absl::Status& status);

  const fuse_req_t request_;
  Edge& edge_;
  const uint64_t number_;
  const StopOn stop_on_;
  std::stop_source stop_;
  CallContext context_;
  bool answered_ = false;
};

// A request that may be answered later, from another thread. The session waits for all of them before it goes.
class DeferredRequest {
 public:
  DeferredRequest(fuse_req_t request, FuseOperation operation)
      : outstanding_(*static_cast<Edge*>(fuse_req_userdata(request))), request_(request, operation) {}

  Request& request() { return request_; }

 private:
  struct Outstanding {
    explicit Outstanding(Edge& edge) : edge(edge) { edge.deferred.Begin(); }
    ~Outstanding() { edge.deferred.End(); }
    Edge& edge;
  };
  Outstanding outstanding_;  // outlives the request
  Request request_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_REQUEST_H_
