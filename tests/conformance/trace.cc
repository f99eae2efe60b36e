#include "tests/conformance/trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace mirrorfs::conformance {
namespace {

constexpr size_t kShownBytes = 72;

std::string Escape(std::string_view data) {
  std::string escaped;
  for (unsigned char byte : data) {
    if (byte == '\n') {
      escaped += "\\n";
    } else if (byte < 0x20 || byte >= 0x7f) {
      escaped += fmt::format("\\x{:02x}", byte);
    } else {
      escaped += static_cast<char>(byte);
    }
  }
  return escaped;
}

}  // namespace

Trace::Trace() : file_(::memfd_create("trace", MFD_CLOEXEC)) {
  if (!file_ || ::fcntl(file_.get(), F_SETFL, O_APPEND) != 0) {
    fmt::print(stderr, "mirrorfs-conformance: no memory for a trace: {}\n", ErrnoName(errno));
    std::abort();
  }
}

void Trace::Line(std::string_view line) {
  const std::string terminated = std::string(line) + "\n";
  if (::write(file_.get(), terminated.data(), terminated.size()) != static_cast<ssize_t>(terminated.size())) {
    std::abort();
  }
}

std::vector<std::string> Trace::Lines() const {
  std::string text;
  char buffer[65536];
  for (ssize_t got; (got = ::pread(file_.get(), buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string ErrnoName(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

uint64_t Hash(std::string_view data) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (unsigned char byte : data) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

std::string Summary(std::string_view data) {
  if (data.size() <= kShownBytes) return fmt::format("\"{}\"", Escape(data));
  return fmt::format("{} bytes, hash {:016x}", data.size(), Hash(data));
}

std::string Quote(std::string_view path) {
  if (path.size() <= kShownBytes) return Escape(path);
  return fmt::format("{}..{}({} bytes)", Escape(path.substr(0, 8)), Escape(path.substr(path.size() - 8)), path.size());
}

}  // namespace mirrorfs::conformance
