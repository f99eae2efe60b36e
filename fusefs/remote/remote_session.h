// The daemon's end of the wire: a session with an agent, and the FileSystem port over it.
#ifndef MIRRORFS_FUSEFS_REMOTE_REMOTE_SESSION_H_
#define MIRRORFS_FUSEFS_REMOTE_REMOTE_SESSION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

enum class SessionIdentity : uint8_t { kContainer, kCaller, kFixed };

struct RemoteSessionOptions {
  std::string endpoint;  // unix:/path, or host:port
  // PEM texts for mutual TLS; all empty: plain, which only unix sockets and loopback may be.
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::string token;
  std::string target;  // empty: the agent's own
  SessionIdentity identity = SessionIdentity::kContainer;
  uint32_t uid = 0;  // kFixed
  uint32_t gid = 0;
  bool read_write = false;
  bool devices = false;
  bool follow = false;  // an agent that serves another container is gone on with: a new root, everything before stale
  // Without any answer for so long, the connections are made anew: for ways that may break silently. Zero: never.
  absl::Duration silence_limit;
  // Longest wait of a call for a sign of life from the agent; InfiniteDuration: wait for ever.
  absl::Duration deadline = absl::Seconds(10);
};

// What the agent said when the session began.
struct SessionFacts {
  Entry root;
  std::string target;  // for people
  std::string agent_version;
  uint32_t identity_uid = 0;  // kContainer and kFixed: as the container sees them
  uint32_t identity_gid = 0;
  std::vector<uint32_t> identity_groups;
  uint32_t max_read = 0;
  uint32_t max_write = 0;
  uint32_t max_page = 0;
};

struct MethodCount {
  uint64_t calls = 0;   // request messages sent, retries included
  uint64_t errors = 0;  // answers that were an errno
  uint64_t retries = 0;
  uint64_t bytes_sent = 0;  // of bulk data
  uint64_t bytes_received = 0;
};

// Thread-safe. Validates every answer: one that lies (sizes, names, types) is EIO.
class RemoteSession {
 public:
  virtual ~RemoteSession() = default;

  // Connects and attaches. Errors are messages for a person.
  static absl::StatusOr<std::unique_ptr<RemoteSession>> Connect(const RemoteSessionOptions& options);

  // Calls with a deadline of InfiniteFuture get the session's.
  virtual FileSystem& Files() = 0;
  virtual const SessionFacts& Facts() const = 0;
  // By method name ("Lookup"), only those that were called.
  virtual std::map<std::string, MethodCount> Counts() const = 0;
  // Sends what is still batched and detaches; called by the destructor too.
  virtual void Close() = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_REMOTE_SESSION_H_
