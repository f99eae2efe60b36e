#include "launcher/system/mount_table.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace mirrorfs {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes space, tab, newline and backslash as \ooo.
std::string Unescape(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) &&
        IsOctal(text[i + 3])) {
      result.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

std::optional<MountRow> ParseRow(const std::string& line) {
  std::istringstream fields(line);
  MountRow row;
  std::string root;
  std::string word;
  if (!(fields >> row.mount_id >> row.parent_id >> row.device >> root >> row.mountpoint >> word)) return std::nullopt;
  // Optional fields end with a lone "-".
  while (fields >> word && word != "-") {
  }
  if (!(fields >> row.type >> row.source)) return std::nullopt;
  row.mountpoint = Unescape(row.mountpoint);
  row.source = Unescape(row.source);
  return row;
}

}  // namespace

std::vector<MountRow> ParseMountTable(std::string_view text) {
  std::vector<MountRow> table;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (auto row = ParseRow(line)) table.push_back(*std::move(row));
  }
  return table;
}

std::vector<MountRow> ReadMountTable() {
  std::ifstream file("/proc/self/mountinfo");
  return ParseMountTable(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::optional<MountRow> MountAt(const std::vector<MountRow>& table, std::string_view path) {
  // Mounts at one place lie on each other; the one that no other there has as its parent is seen.
  const auto covered = [&](const MountRow& row) {
    return std::any_of(table.begin(), table.end(), [&](const MountRow& other) {
      return other.parent_id == row.mount_id && other.mountpoint == path && other.mount_id != row.mount_id;
    });
  };
  for (const MountRow& row : table) {
    if (row.mountpoint == path && !covered(row)) return row;
  }
  return std::nullopt;
}

std::vector<std::string> MountsBelow(const std::vector<MountRow>& table, std::string_view path) {
  std::vector<std::string> below;
  for (const MountRow& row : table) {
    if (row.mountpoint != path && IsWithin(row.mountpoint, path)) below.push_back(row.mountpoint);
  }
  return below;
}

bool IsWithin(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace mirrorfs
