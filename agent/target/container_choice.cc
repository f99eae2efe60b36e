#include "agent/target/container_choice.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <numeric>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace mirrorfs {
namespace {

using Matches = std::vector<const ListedContainer*>;

constexpr size_t kMostNamesShown = 10;
constexpr size_t kShortIdLength = 12;
constexpr size_t kFullIdLength = 64;

Matches Select(const std::vector<ListedContainer>& containers,
               const std::function<bool(const ListedContainer&)>& matches) {
  Matches selected;
  for (const ListedContainer& container : containers) {
    if (matches(container)) selected.push_back(&container);
  }
  return selected;
}

Matches BestMatches(std::string_view wanted, const std::vector<ListedContainer>& containers) {
  Matches found = Select(containers, [wanted](const auto& container) { return container.id == wanted; });
  if (!found.empty()) return found;
  found = Select(containers, [wanted](const auto& container) {
    return std::find(container.names.begin(), container.names.end(), wanted) != container.names.end();
  });
  if (!found.empty()) return found;
  return Select(containers, [wanted](const auto& container) { return container.id.starts_with(wanted); });
}

// Restarted containers leave their predecessors listed under the same name.
Matches PreferRunning(Matches matches) {
  Matches running;
  std::copy_if(matches.begin(), matches.end(), std::back_inserter(running), [](auto* match) { return match->running; });
  return running.empty() ? matches : running;
}

const std::string& ShownName(const ListedContainer& container) {
  return container.names.empty() ? container.id : container.names.front();
}

size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// Running ones first, then by likeness to what was asked for.
std::vector<std::string> NearestNames(std::string_view wanted, const std::vector<ListedContainer>& containers) {
  std::vector<std::tuple<bool, size_t, std::string>> ranked;
  for (const ListedContainer& container : containers) {
    const std::string& name = ShownName(container);
    ranked.emplace_back(!container.running, EditDistance(wanted, name), name);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> names;
  for (const auto& [stopped, distance, name] : ranked) {
    if (names.size() == kMostNamesShown) break;
    names.push_back(stopped ? name + " (not running)" : name);
  }
  return names;
}

absl::Status NotFound(std::string_view runtime, std::string_view wanted,
                      const std::vector<ListedContainer>& containers) {
  if (containers.empty()) {
    return absl::NotFoundError(fmt::format("{}: no container \"{}\": there are no containers", runtime, wanted));
  }
  const auto names = NearestNames(wanted, containers);
  const size_t others = containers.size() - names.size();
  return absl::NotFoundError(fmt::format("{}: no container \"{}\"; there is {}{}", runtime, wanted,
                                         fmt::join(names, ", "),
                                         others > 0 ? fmt::format(" and {} more", others) : ""));
}

absl::Status Ambiguous(std::string_view runtime, std::string_view wanted, const Matches& matches) {
  std::vector<std::string> shown;
  for (const ListedContainer* match : matches) {
    if (shown.size() == kMostNamesShown) break;
    shown.push_back(fmt::format("{} ({}, {})", ShownName(*match), ShortId(match->id), match->state));
  }
  return absl::InvalidArgumentError(fmt::format("{}: {} containers match \"{}\": {}; give more of the id", runtime,
                                                matches.size(), wanted, fmt::join(shown, ", ")));
}

}  // namespace

absl::StatusOr<ListedContainer> ChooseContainer(std::string_view runtime, std::string_view wanted,
                                                const std::vector<ListedContainer>& containers) {
  const Matches matches = PreferRunning(BestMatches(wanted, containers));
  if (matches.empty()) return NotFound(runtime, wanted, containers);
  if (matches.size() > 1) return Ambiguous(runtime, wanted, matches);
  return *matches.front();
}

absl::Status CheckRunning(std::string_view runtime, const ListedContainer& container, std::string_view advice) {
  if (container.running) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("{} is not running (its state is \"{}\"); {}",
                                                   Describe(runtime, container), container.state, advice));
}

std::string ShortId(std::string_view id) {
  const bool hexadecimal = std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  return std::string(hexadecimal && id.size() == kFullIdLength ? id.substr(0, kShortIdLength) : id);
}

std::string Describe(std::string_view runtime, const ListedContainer& container) {
  const std::string& name = ShownName(container);
  if (name == container.id) return fmt::format("{}/{}", runtime, ShortId(name));
  return fmt::format("{}/{} ({})", runtime, name, ShortId(container.id));
}

}  // namespace mirrorfs
