#include "fusefs/kernel/fuse_log.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "fusefs/kernel/fuse_api.h"
#include "spdlog/spdlog.h"

namespace mirrorfs {
namespace {

spdlog::level::level_enum LevelOf(fuse_log_level level) {
  if (level <= FUSE_LOG_ERR) return spdlog::level::err;
  if (level == FUSE_LOG_WARNING) return spdlog::level::warn;
  return level == FUSE_LOG_DEBUG ? spdlog::level::debug : spdlog::level::info;
}

void Log(fuse_log_level level, const char* format, va_list arguments) {
  std::array<char, 1024> buffer;  // longer ones are names of files, and cut
  const int size = std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
  std::string_view text(buffer.data(), size < 0 ? 0 : std::min(static_cast<size_t>(size), buffer.size() - 1));
  while (text.ends_with('\n')) text.remove_suffix(1);
  spdlog::log(LevelOf(level), "{}", text);
}

}  // namespace

void TakeFuseLog() { fuse_set_log_func(Log); }

}  // namespace mirrorfs
