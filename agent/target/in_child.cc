#include "agent/target/in_child.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "agent/target/child_process.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

constexpr absl::Duration kLimit = absl::Seconds(30);

std::string Pack(const absl::StatusOr<FoundContainer>& result) {
  json message = {{"code", static_cast<int>(result.status().code())},
                  {"message", std::string(result.status().message())}};
  if (result.ok()) message.update({{"id", result->id}, {"pid", result->pid}, {"description", result->description}});
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

absl::StatusOr<FoundContainer> Unpack(const std::string& text) {
  const json message = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!message.is_object()) return absl::UnavailableError("the process that asks the runtime has died");
  const auto code = static_cast<absl::StatusCode>(message.value("code", 0));
  if (code != absl::StatusCode::kOk) return absl::Status(code, message.value("message", ""));
  return FoundContainer{
      .id = message.value("id", ""), .pid = message.value("pid", 0), .description = message.value("description", "")};
}

[[noreturn]] void RunChild(const std::function<absl::StatusOr<FoundContainer>()>& find, int output) {
  const std::string text = Pack(find());
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(output, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) break;
    if (count > 0) done += static_cast<size_t>(count);
  }
  ::_exit(0);
}

}  // namespace

absl::StatusOr<FoundContainer> FindInChild(const std::function<absl::StatusOr<FoundContainer>()>& find) {
  std::array<int, 2> ends = {};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return LastErrno("pipe2");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return LastErrno("fork");
  if (pid == 0) RunChild(find, write_end.get());
  ChildProcess child(pid, std::move(read_end));
  write_end.reset();
  auto text = child.ReadOutput(kLimit);
  if (absl::IsDeadlineExceeded(text.status())) return absl::UnavailableError("the runtime does not answer in time");
  RETURN_IF_ERROR(text.status());
  return Unpack(*text);
}

}  // namespace mirrorfs
