#include "launcher/keeper/copy_line.h"

#include "fmt/format.h"
#include "launcher/printable.h"

namespace mirrorfs {
namespace {

constexpr size_t kShortestPath = 8;

uint64_t MebiBytes(uint64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; }

std::string Shortened(const std::string& path, size_t width) {
  if (path.size() <= width || width < kShortestPath) return path;
  return "..." + path.substr(path.size() - (width - 3));
}

}  // namespace

std::string CopyLine(const CopyStep& step, size_t width) {
  const std::string rest =
      fmt::format(" to the private layer: {} of {} MiB", MebiBytes(step.done), MebiBytes(step.size));
  constexpr std::string_view kBegin = "copying ";
  const size_t taken = kBegin.size() + rest.size();
  return fmt::format("{}{}{}", kBegin, Shortened(Printable(step.path), width > taken ? width - taken : 0), rest);
}

}  // namespace mirrorfs
