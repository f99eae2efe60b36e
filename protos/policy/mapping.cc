#include "protos/policy/mapping.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "protos/policy/match_text.h"
#include "protos/policy/pattern.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

bool IsNameStart(char c) { return absl::ascii_isalpha(c) || c == '_'; }
bool IsNamePart(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// The longest front of `rest` of which every character satisfies `condition`; cut off.
std::string_view TakeWhile(std::string_view& rest, bool (*condition)(char)) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), condition);
  const std::string_view taken = rest.substr(0, static_cast<size_t>(end - rest.begin()));
  rest.remove_prefix(taken.size());
  return taken;
}

bool IsDigit(char c) { return absl::ascii_isdigit(c); }

std::string Absolute(std::string_view path) {
  std::vector<std::string_view> components;
  for (size_t begin = 0, end = 0; begin < path.size(); begin = end + 1) {
    end = std::min(path.find('/', begin), path.size());
    const std::string_view component = path.substr(begin, end - begin);
    if (component.empty() || component == ".") continue;
    if (component != "..") {
      components.push_back(component);
    } else if (!components.empty()) {
      components.pop_back();
    }
  }
  std::string absolute;
  for (const std::string_view component : components) absolute.append("/").append(component);
  return absolute.empty() ? "/" : absolute;
}

}  // namespace

absl::StatusOr<Mapping> Mapping::Compile(const PathMapping& mapping) {
  const std::string pattern = NormalizedPattern(mapping.match);
  Mapping compiled;
  ASSIGN_OR_RETURN(compiled.pattern_, CompilePattern(pattern));
  RETURN_IF_ERROR(compiled.ParseReplacement(PatternText(mapping.replace)));
  const bool from_the_start = pattern.starts_with('^');
  const char first = mapping.replace.empty() ? '\0' : mapping.replace.front();
  if (from_the_start && first != '/' && first != '$') {
    return absl::InvalidArgumentError(fmt::format(
        "the path that '{}' makes would not be absolute: begin the replacement with '/'.", mapping.replace));
  }
  return compiled;
}

absl::StatusOr<int> Mapping::GroupNamed(std::string_view name) const {
  const auto& groups = pattern_->NamedCapturingGroups();
  int number = 0;
  if (!name.empty() && std::all_of(name.begin(), name.end(), IsDigit) && absl::SimpleAtoi(std::string(name), &number)) {
    if (number <= pattern_->NumberOfCapturingGroups()) return number;
  } else if (const auto found = groups.find(std::string(name)); found != groups.end()) {
    return found->second;
  }
  return absl::InvalidArgumentError(fmt::format("the pattern has no group '{}'; $$ stands for a dollar sign.", name));
}

// What follows a dollar sign.
absl::StatusOr<Mapping::Piece> Mapping::ParseReference(std::string_view& rest) const {
  Piece piece;
  if (rest.starts_with('$')) {
    rest.remove_prefix(1);
    piece.text = "$";
  } else if (rest.starts_with('{')) {
    const size_t end = rest.find('}');
    if (end == std::string_view::npos) return absl::InvalidArgumentError("'${' without '}' in the replacement.");
    ASSIGN_OR_RETURN(piece.group, GroupNamed(rest.substr(1, end - 1)));
    rest.remove_prefix(end + 1);
  } else if (!rest.empty() && IsDigit(rest.front())) {
    const std::string_view number = TakeWhile(rest, IsDigit);
    if (!rest.empty() && IsNamePart(rest.front())) {  // other tools read a longer name here
      return absl::InvalidArgumentError(fmt::format("write ${{{}}}{} instead of ${}{}.", number, rest, number, rest));
    }
    ASSIGN_OR_RETURN(piece.group, GroupNamed(number));
  } else if (!rest.empty() && IsNameStart(rest.front())) {
    ASSIGN_OR_RETURN(piece.group, GroupNamed(TakeWhile(rest, IsNamePart)));
  } else {
    piece.text = "$";
  }
  return piece;
}

absl::Status Mapping::ParseReplacement(std::string_view replacement) {
  while (!replacement.empty()) {
    const size_t dollar = std::min(replacement.find('$'), replacement.size());
    if (dollar > 0) pieces_.push_back({.text = std::string(replacement.substr(0, dollar))});
    replacement.remove_prefix(dollar);
    if (replacement.empty()) break;
    replacement.remove_prefix(1);
    ASSIGN_OR_RETURN(Piece piece, ParseReference(replacement));
    pieces_.push_back(std::move(piece));
  }
  return absl::OkStatus();
}

bool Mapping::Matches(std::string_view text) const {
  return pattern_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

std::optional<std::string> Mapping::Apply(std::string_view text) const {
  std::vector<re2::StringPiece> groups(static_cast<size_t>(pattern_->NumberOfCapturingGroups()) + 1);
  const re2::StringPiece subject(text.data(), text.size());
  if (!pattern_->Match(subject, 0, text.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
    return std::nullopt;
  }
  const size_t begin = static_cast<size_t>(groups[0].data() - text.data());
  std::string result(text.substr(0, begin));
  for (const Piece& piece : pieces_) {
    if (piece.group < 0) {
      result += piece.text;
    } else if (const auto& group = groups[static_cast<size_t>(piece.group)]; group.data() != nullptr) {
      result.append(group.data(), group.size());
    }
  }
  result += text.substr(begin + groups[0].size());
  return Absolute(result);
}

}  // namespace mirrorfs
