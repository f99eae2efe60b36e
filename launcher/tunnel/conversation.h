// Talking with a program line by line over its stdin and stdout, while its stderr is kept.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_CONVERSATION_H_
#define MIRRORFS_LAUNCHER_TUNNEL_CONVERSATION_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/tunnel/tunnel_child.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Not thread-safe. Waits only within its functions; `patience` is how long there for any progress. They fail with
// OUT_OF_RANGE when the program has closed its end, DEADLINE_EXCEEDED when nothing happens for that long.
class Conversation {
 public:
  // Starts the program. Destroyed, it kills it and waits for its end.
  static absl::StatusOr<Conversation> Start(std::vector<std::string> command, std::vector<std::string> variables);
  Conversation(Conversation&& other) noexcept;
  Conversation& operator=(Conversation&&) = delete;
  ~Conversation();

  // A line without its end.
  absl::StatusOr<std::string> ReadLine(absl::Duration patience);
  absl::StatusOr<std::string> ReadBytes(size_t count, absl::Duration patience);
  // All until it closes its end.
  absl::StatusOr<std::string> ReadAll(absl::Duration patience);
  // Ends early, and well, when the program says something meanwhile: it does not want the rest then.
  absl::Status Send(std::string_view bytes, absl::Duration patience);

  pid_t pid() const { return pid_; }
  int stream() const { return stream_.get(); }
  int error_stream() const { return error_stream_.get(); }
  // What it has written to stderr and nobody has taken so far: the last few KiB.
  std::string TakeErrors();
  // For whoever follows stream() by himself: reads what is there and forgets it. False at its end.
  bool Drain();
  // Closes its stdin and waits until it has ended, or `grace` is over: then it is killed. Gives the wait status.
  int End(absl::Duration grace);

 private:
  Conversation(pid_t pid, UniqueFd stream, UniqueFd error_stream);
  absl::Status Wait(short events, absl::Duration patience);
  absl::Status Receive();
  void ReceiveErrors();

  pid_t pid_ = 0;          // 0: ended, and reaped
  UniqueFd stream_;        // does not block
  UniqueFd error_stream_;  // likewise
  std::string received_;   // and not yet read
  std::string errors_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_CONVERSATION_H_
