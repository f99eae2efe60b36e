// The preface of a stream to a shared agent (docs/protocol.md): one line of JSON each way, over TLS, before gRPC.
#ifndef MIRRORFS_PROTOS_PREFACE_PREFACE_H_
#define MIRRORFS_PROTOS_PREFACE_PREFACE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace mirrorfs {

// Tokens of some identity providers have 10 kB and more. Without the line's end.
inline constexpr size_t kMostPrefaceRequest = 64 << 10;
inline constexpr size_t kMostPrefaceAnswer = 16 << 10;

// What a stream is for.
enum class PrefaceStream : uint8_t {
  kFiles,  // gRPC follows
  kWatch,  // the client sends kHeartbeat now and then and gets it back; "target gone" when the container has ended
};
inline constexpr std::string_view kHeartbeat = "alive";
inline constexpr std::string_view kTargetGone = "target gone";

// Either a ticket, or a token and the container that is asked for.
struct PrefaceRequest {
  PrefaceStream stream = PrefaceStream::kFiles;
  std::string ticket;
  std::string token;
  std::string name_space;
  std::string pod;
  std::string pod_uid;
  std::string container;
  std::string container_id;  // "containerd://4f2a..."
  bool read_write = false;
  bool wants_facts = false;  // what the target's process is like, after the answer
};

enum class PrefaceCode : uint8_t {
  kOk,
  kBadRequest,       // not understood
  kUnauthenticated,  // the token proves nobody; or the ticket is over: come back with the token
  kForbidden,        // a right is missing
  kNoTarget,         // no such container on this node
  kQuota,            // too much of the user's own
  kUnavailable,      // the API server, or the container's agent, does not answer
};

struct PrefaceAnswer {
  PrefaceCode code = PrefaceCode::kOk;
  std::string message;  // for a person, if it is not kOk
  std::string ticket;
  absl::Duration ticket_life;
  uint64_t facts_bytes = 0;  // that follow the line
};

// Lines without their end.
std::string EncodePreface(const PrefaceRequest& request);
std::string EncodePreface(const PrefaceAnswer& answer);

// INVALID_ARGUMENT: not JSON, another version of the preface, a field that is missing, of another type, too long, or
// has a character that no name in Kubernetes has. The message never has the token in it.
absl::StatusOr<PrefaceRequest> ParsePrefaceRequest(std::string_view line);
absl::StatusOr<PrefaceAnswer> ParsePrefaceAnswer(std::string_view line);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_PREFACE_PREFACE_H_
