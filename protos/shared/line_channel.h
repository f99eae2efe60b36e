// Messages of one line each over a stream socket: what keeper, daemon and command say to each other is JSON, one
// object a line.
#ifndef MIRRORFS_PROTOS_SHARED_LINE_CHANNEL_H_
#define MIRRORFS_PROTOS_SHARED_LINE_CHANNEL_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Not thread-safe, but Send may run beside Receive and Next.
class LineChannel {
 public:
  // Longest line taken; a peer that sends a longer one is cut off.
  static constexpr size_t kMaxLine = 1 << 20;

  // A stream socket; or, for Receive alone, the end of a pipe.
  explicit LineChannel(UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }

  // `line` is without its newline, and has none in it. Blocks while the peer does not take it (SO_SNDTIMEO applies).
  absl::Status Send(std::string_view line);

  // Takes in what has come: one read, which blocks if nothing has. An error, or a line too long, counts as the end.
  void Receive();
  // The next whole line that has come.
  std::optional<std::string> Next();
  // The peer has closed; lines may still be waiting in Next().
  bool AtEnd() const { return at_end_; }

 private:
  UniqueFd socket_;
  std::string received_;
  bool at_end_ = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_LINE_CHANNEL_H_
