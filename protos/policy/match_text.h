// Paths are bytes, patterns are about characters: paths are matched as text in which every byte that is no part of
// UTF-8 stands as one character of its own (U+10FF00 + byte), so that "." matches it and nothing is lost.
#ifndef MIRRORFS_PROTOS_POLICY_MATCH_TEXT_H_
#define MIRRORFS_PROTOS_POLICY_MATCH_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace mirrorfs {

// Always UTF-8. Valid UTF-8 stays as it is, but for U+10FF00 to U+10FFFF: those are taken for four single bytes.
std::string MatchText(std::string_view bytes);

// The same for text written by people, patterns for instance: bytes that are no part of UTF-8 are replaced, nothing
// else. What has been through here or QuotePattern stays as it is.
std::string PatternText(std::string_view bytes);

// True if MatchText would change nothing: callers save the copy.
bool IsMatchText(std::string_view bytes);

// Undoes MatchText.
std::string BytesOfMatchText(std::string_view text);

// The first character, cut off. `text`: not empty, as MatchText() makes it.
uint32_t TakeCharacter(std::string_view& text);

// As UTF-8, at the end of `text`.
void AppendCharacter(uint32_t character, std::string& text);

// A pattern that matches just these bytes.
std::string QuotePattern(std::string_view bytes);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_MATCH_TEXT_H_
