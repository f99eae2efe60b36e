#include "launcher/commands/table.h"

#include <algorithm>

#include "fmt/format.h"
#include "launcher/printable.h"

namespace mirrorfs {
namespace {

std::vector<size_t> Widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

}  // namespace

std::string FormatTable(const std::vector<std::vector<std::string>>& rows) {
  const std::vector<size_t> widths = Widths(rows);
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}", Printable(row[i]), widths[i] + 3);
    while (line.ends_with(' ')) line.pop_back();
    text += line + "\n";
  }
  return text;
}

}  // namespace mirrorfs
