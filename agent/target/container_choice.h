// Which of a runtime's containers is meant: by name, id or the beginning of an id. The same rules for every runtime.
#ifndef MIRRORFS_AGENT_TARGET_CONTAINER_CHOICE_H_
#define MIRRORFS_AGENT_TARGET_CONTAINER_CHOICE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

// One of the containers that a runtime lists.
struct ListedContainer {
  std::string id;
  std::vector<std::string> names;  // the first is the one to show
  std::string state;               // in the runtime's own word: "running", "exited"
  bool running = false;            // has a process (paused ones have)
};

// The whole id wins over a name, a name over the beginning of an id; among equals a running one over those that are
// not. `runtime` ("docker") is for messages. INVALID_ARGUMENT lists the matches when there are several; NOT_FOUND
// names what is like it, or what there is.
absl::StatusOr<ListedContainer> ChooseContainer(std::string_view runtime, std::string_view wanted,
                                                const std::vector<ListedContainer>& containers);

// FAILED_PRECONDITION unless it runs; `advice` says what to do ("start it: docker start web").
absl::Status CheckRunning(std::string_view runtime, const ListedContainer& container, std::string_view advice);

// 12 characters of a hexadecimal id, others whole.
std::string ShortId(std::string_view id);

// "docker/web (4f2a91c03d11)"
std::string Describe(std::string_view runtime, const ListedContainer& container);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_CONTAINER_CHOICE_H_
