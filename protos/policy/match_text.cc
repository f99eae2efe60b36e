#include "protos/policy/match_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace mirrorfs {
namespace {

constexpr uint32_t kFirstEscape = 0x10FF00;

bool IsAscii(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

size_t LengthByLead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

uint32_t Decode(std::string_view character) {
  static constexpr unsigned char kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  uint32_t value = static_cast<unsigned char>(character[0]) & kLeadBits[character.size()];
  for (const char byte : character.substr(1)) value = value << 6 | (static_cast<unsigned char>(byte) & 0x3F);
  return value;
}

// Length of the character at the front; 0 if there is none that is valid (too long, a surrogate, out of range).
size_t CharacterLength(std::string_view bytes) {
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const size_t length = LengthByLead(static_cast<unsigned char>(bytes.front()));
  if (length == 0 || length > bytes.size()) return 0;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  if (!std::all_of(bytes.begin() + 1, bytes.begin() + static_cast<std::ptrdiff_t>(length), continues)) return 0;
  const uint32_t value = Decode(bytes.substr(0, length));
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < kSmallest[length] || surrogate || value > 0x10FFFF ? 0 : length;
}

// As above, but the characters that stand for bytes do not count as valid.
size_t KeptLength(std::string_view bytes) {
  const size_t length = CharacterLength(bytes);
  return length == 4 && Decode(bytes.substr(0, 4)) >= kFirstEscape ? 0 : length;
}

// `length_of`: how long the character at the front is that stays; 0: the byte is escaped.
std::string Escaped(std::string_view bytes, size_t (*length_of)(std::string_view)) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t length = length_of(bytes);
    if (length == 0) {
      AppendCharacter(kFirstEscape + static_cast<unsigned char>(bytes.front()), text);
    } else {
      text.append(bytes.substr(0, length));
    }
    bytes.remove_prefix(std::max<size_t>(length, 1));
  }
  return text;
}

}  // namespace

bool IsMatchText(std::string_view bytes) {
  if (IsAscii(bytes)) return true;
  while (!bytes.empty()) {
    const size_t length = KeptLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string MatchText(std::string_view bytes) { return Escaped(bytes, KeptLength); }

std::string PatternText(std::string_view bytes) { return Escaped(bytes, CharacterLength); }

std::string BytesOfMatchText(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    const size_t length = std::max<size_t>(CharacterLength(text), 1);
    const uint32_t value = length == 4 ? Decode(text.substr(0, 4)) : 0;
    if (value >= kFirstEscape) {
      bytes.push_back(static_cast<char>(value - kFirstEscape));
    } else {
      bytes.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return bytes;
}

uint32_t TakeCharacter(std::string_view& text) {
  const size_t length = std::max<size_t>(CharacterLength(text), 1);
  const uint32_t character = Decode(text.substr(0, length));
  text.remove_prefix(length);
  return character;
}

void AppendCharacter(uint32_t character, std::string& text) {
  if (character < 0x80) {
    text.push_back(static_cast<char>(character));
    return;
  }
  const int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  static constexpr unsigned kLeads[] = {0, 0xC0, 0xE0, 0xF0};
  text.push_back(static_cast<char>(kLeads[more] | character >> 6 * more));
  for (int i = more - 1; i >= 0; --i) text.push_back(static_cast<char>(0x80 | (character >> 6 * i & 0x3F)));
}

std::string QuotePattern(std::string_view bytes) {
  std::string pattern;
  for (const char c : MatchText(bytes)) {
    if (std::string_view(R"(\.+*?()|[]{}^$)").find(c) != std::string_view::npos) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern;
}

}  // namespace mirrorfs
