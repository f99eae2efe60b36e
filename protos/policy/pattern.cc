#include "protos/policy/pattern.h"

#include "fmt/format.h"
#include "protos/policy/match_text.h"

namespace mirrorfs {
namespace {

std::string_view HintFor(std::string_view pattern, RE2::ErrorCode code) {
  for (const std::string_view look : {"(?=", "(?!", "(?<=", "(?<!"}) {
    if (pattern.find(look) != std::string_view::npos) {
      return " RE2 knows no look-ahead or look-behind: write what shall match, or put the exception in a list that "
             "comes "
             "first.";
    }
  }
  switch (code) {
    case RE2::ErrorRepeatArgument:
      return " Patterns are regular expressions, not shell patterns: write .* for any characters.";
    case RE2::ErrorMissingParen:
    case RE2::ErrorMissingBracket:
      return " Write a backslash before a bracket that means itself.";
    default:
      return "";
  }
}

}  // namespace

RE2::Options PatternOptions() {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_dot_nl(true);
  options.set_log_errors(false);
  return options;
}

std::string NormalizedPattern(std::string_view pattern) {
  std::string normalized;
  const std::string text = PatternText(pattern);
  for (size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (rest.front() == '\\' && rest.size() > 1) {
      normalized.append(rest.substr(0, 2));
      ++at;
    } else if (rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!")) {
      normalized.append("(?P<");
      at += 2;
    } else {
      normalized.push_back(rest.front());
    }
  }
  return normalized;
}

absl::StatusOr<std::unique_ptr<RE2>> CompilePattern(std::string_view normalized) {
  auto compiled = std::make_unique<RE2>(re2::StringPiece(normalized.data(), normalized.size()), PatternOptions());
  if (compiled->ok()) return compiled;
  return absl::InvalidArgumentError(
      fmt::format("{}.{}", compiled->error(), HintFor(normalized, compiled->error_code())));
}

}  // namespace mirrorfs
