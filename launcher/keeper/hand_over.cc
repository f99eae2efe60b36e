#include "launcher/keeper/hand_over.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <system_error>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/progress.h"
#include "protos/shared/errno_status.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace mirrorfs {

std::string OwnProgram() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

absl::StatusOr<UniqueFd> BytesAsFile(std::string_view bytes) {
  UniqueFd file(::memfd_create("mirrorfs-plan", MFD_CLOEXEC));
  if (!file) return LastErrno("memfd_create");
  if (::pwrite(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return LastErrno("writing the plan");
  }
  return file;
}

std::string BytesOfFile(const UniqueFd& file) {
  std::string bytes;
  std::array<char, 4096> buffer;
  ssize_t count = 0;
  while ((count = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(bytes.size()))) > 0) {
    bytes.append(buffer.data(), static_cast<size_t>(count));
  }
  return bytes;
}

absl::Status WaitForKeeper(LineChannel& channel, ProgressForm form) {
  while (true) {
    if (const auto line = channel.Next()) {
      const auto object = FromLine(*line);
      if (object && PrintIfProgress(form, *object)) continue;
      return object ? StatusFromJson(*object) : Failure(ExitCode::kFailed, "the keeper's answer is not understood.");
    }
    if (channel.AtEnd()) return Failure(ExitCode::kUnreachable, "the keeper died before all was ready.");
    channel.Receive();
  }
}

StatePaths PathsBesideLock(const UniqueFd& lock) {
  std::error_code ignored;  // an empty path: the log cannot be opened then, which is reported
  const std::filesystem::path file =
      std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", lock.get()), ignored);
  const std::filesystem::path directory = file.parent_path();
  return PathsOfId(directory.parent_path().string(), directory.filename().string());
}

spdlog::logger MakeKeeperLogger(const MountPlan& plan) {
  spdlog::logger logger("keeper", std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger.set_level(plan.verbose ? spdlog::level::debug : spdlog::level::info);
  logger.flush_on(spdlog::level::trace);
  return logger;
}

void RedirectOutput(const ChildLog& log) {
  ::dup2(log.fd(), STDOUT_FILENO);
  ::dup2(log.fd(), STDERR_FILENO);
}

}  // namespace mirrorfs
