#include "protos/policy/pattern_syntax.h"

#include <cctype>
#include <utility>

#include "protos/policy/match_text.h"

namespace mirrorfs {
namespace {

using Kind = PatternNode::Kind;

constexpr int kMostNesting = 200;  // deeper is not understood: this goes down by recursion

struct Bounds {
  int least;
  int most;
};

PatternNode Of(Kind kind) {
  PatternNode node;
  node.kind = kind;
  return node;
}

PatternNode OneOf(CharacterSet characters) {
  PatternNode node = Of(Kind::kCharacters);
  node.characters = std::move(characters);
  return node;
}

bool IsPunctuation(char c) { return c > 0x20 && c < 0x7F && !std::isalnum(static_cast<unsigned char>(c)); }

// Recursive descent. Every function returns nothing for what is not understood.
class Parser {
 public:
  explicit Parser(std::string_view pattern) : rest_(pattern) {}

  std::optional<PatternNode> Parse() {
    auto node = Choice();
    return node && rest_.empty() ? std::move(node) : std::nullopt;
  }

 private:
  std::optional<PatternNode> Choice();
  std::optional<PatternNode> Sequence();
  std::optional<PatternNode> Repeated();
  std::optional<PatternNode> Atom();
  std::optional<PatternNode> Group();
  std::optional<PatternNode> Escape();
  std::optional<CharacterSet> Class();
  bool ClassItem(CharacterSet& set);
  std::optional<uint32_t> ClassCharacter();
  std::optional<Bounds> Quantifier();
  std::optional<Bounds> CountedQuantifier();
  std::optional<int> Number();

  bool Skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  char Take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  uint32_t TakeCharacter() { return mirrorfs::TakeCharacter(rest_); }

  std::string_view rest_;
  int depth_ = 0;
};

std::optional<PatternNode> Parser::Choice() {
  PatternNode choice = Of(Kind::kChoice);
  if (++depth_ > kMostNesting) return std::nullopt;
  do {
    auto sequence = Sequence();
    if (!sequence) return std::nullopt;
    choice.children.push_back(*std::move(sequence));
  } while (Skip("|"));
  --depth_;
  return choice.children.size() == 1 ? std::move(choice.children.front()) : std::move(choice);
}

std::optional<PatternNode> Parser::Sequence() {
  PatternNode sequence = Of(Kind::kSequence);
  while (!rest_.empty() && !rest_.starts_with('|') && !rest_.starts_with(')')) {
    auto node = Repeated();
    if (!node) return std::nullopt;
    sequence.children.push_back(*std::move(node));
  }
  return sequence;
}

std::optional<PatternNode> Parser::Repeated() {
  auto node = Atom();
  while (node) {
    const auto bounds = Quantifier();
    if (!bounds) break;
    PatternNode repeat = Of(Kind::kRepeat);
    repeat.least = bounds->least;
    repeat.most = bounds->most;
    repeat.children.push_back(*std::move(node));
    node = std::move(repeat);
  }
  return node;
}

std::optional<Bounds> Parser::Quantifier() {
  std::optional<Bounds> bounds;
  if (Skip("*")) {
    bounds = Bounds{0, PatternNode::kEndless};
  } else if (Skip("+")) {
    bounds = Bounds{1, PatternNode::kEndless};
  } else if (Skip("?")) {
    bounds = Bounds{0, 1};
  } else {
    bounds = CountedQuantifier();
  }
  if (bounds) Skip("?");  // which match is preferred does not matter here
  return bounds;
}

// {2}, {2,}, {2,5}; every other brace is itself.
std::optional<Bounds> Parser::CountedQuantifier() {
  const std::string_view before = rest_;
  if (Skip("{")) {
    if (const auto least = Number()) {
      if (Skip("}")) return Bounds{*least, *least};
      if (Skip(",")) {
        if (Skip("}")) return Bounds{*least, PatternNode::kEndless};
        const auto most = Number();
        if (most && Skip("}")) return Bounds{*least, *most};
      }
    }
  }
  rest_ = before;
  return std::nullopt;
}

std::optional<int> Parser::Number() {
  int number = 0;
  size_t digits = 0;
  while (digits < 4 && digits < rest_.size() && std::isdigit(static_cast<unsigned char>(rest_[digits]))) {
    number = number * 10 + (rest_[digits++] - '0');
  }
  rest_.remove_prefix(digits);
  return digits == 0 ? std::nullopt : std::optional(number);
}

std::optional<PatternNode> Parser::Atom() {
  if (Skip("(")) return Group();
  if (Skip("[")) {
    auto set = Class();
    return set ? std::optional(OneOf(*std::move(set))) : std::nullopt;
  }
  if (Skip("\\")) return Escape();
  if (Skip("^")) return Of(Kind::kBegin);
  if (Skip("$")) return Of(Kind::kEnd);
  if (Skip(".")) return OneOf(CharacterSet::Any());
  CharacterSet literal;
  const uint32_t character = TakeCharacter();
  literal.Add(character, character);
  return OneOf(std::move(literal));
}

// After the opening parenthesis. Flags that change what follows are not understood, but for (?i), which holds anyway.
std::optional<PatternNode> Parser::Group() {
  if (Skip("?i)")) return Of(Kind::kSequence);
  if (Skip("?P<")) {
    const size_t end = rest_.find('>');
    if (end == std::string_view::npos) return std::nullopt;
    rest_.remove_prefix(end + 1);
  } else if (!Skip("?:") && !Skip("?i:") && rest_.starts_with('?')) {
    return std::nullopt;
  }
  auto node = Choice();
  return node && Skip(")") ? std::move(node) : std::nullopt;
}

// \d, \w, \s and their opposites, of ASCII as RE2 has them.
std::optional<CharacterSet> NamedClass(char name) {
  CharacterSet set;
  switch (std::tolower(static_cast<unsigned char>(name))) {
    case 'w':
      set.AddPlain('a', 'z');
      set.AddPlain('A', 'Z');
      set.Add('_', '_');
      [[fallthrough]];
    case 'd':
      set.Add('0', '9');
      break;
    case 's':
      for (const char c : {'\t', '\n', '\f', '\r', ' '}) set.Add(static_cast<uint32_t>(c), static_cast<uint32_t>(c));
      break;
    default:
      return std::nullopt;
  }
  if (std::isupper(static_cast<unsigned char>(name))) set.Negate();
  return set;
}

std::optional<PatternNode> Parser::Escape() {
  if (rest_.empty()) return std::nullopt;
  const char c = Take();
  if (c == 'A') return Of(Kind::kBegin);
  if (c == 'z') return Of(Kind::kEnd);
  if (c == 'b' || c == 'B') return Of(Kind::kSomewhere);
  if (auto set = NamedClass(c)) return OneOf(*std::move(set));
  if (!IsPunctuation(c)) return std::nullopt;
  CharacterSet literal;
  literal.Add(static_cast<uint32_t>(c), static_cast<uint32_t>(c));
  return OneOf(std::move(literal));
}

// After the opening bracket.
std::optional<CharacterSet> Parser::Class() {
  const bool negated = Skip("^");
  CharacterSet set;
  bool first = true;
  while (first || !rest_.starts_with(']')) {
    if (rest_.empty() || rest_.starts_with("[:") || !ClassItem(set)) return std::nullopt;
    first = false;
  }
  Skip("]");
  if (negated) set.Negate();
  return set;
}

bool Parser::ClassItem(CharacterSet& set) {
  if (rest_.size() > 1 && rest_.front() == '\\') {
    if (const auto named = NamedClass(rest_[1])) {
      set.AddAll(*named);
      rest_.remove_prefix(2);
      return true;
    }
  }
  const auto low = ClassCharacter();
  if (!low) return false;
  auto high = low;
  if (rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']') {
    rest_.remove_prefix(1);
    high = ClassCharacter();
  }
  if (!high || *high < *low) return false;
  set.Add(*low, *high);
  return true;
}

std::optional<uint32_t> Parser::ClassCharacter() {
  if (rest_.empty()) return std::nullopt;
  if (!Skip("\\")) return TakeCharacter();
  if (rest_.empty() || !IsPunctuation(rest_.front())) return std::nullopt;
  return static_cast<uint32_t>(Take());
}

}  // namespace

std::optional<PatternNode> ParsePattern(std::string_view normalized) { return Parser(normalized).Parse(); }

std::optional<std::string> LiteralTree(std::string_view normalized) {
  constexpr std::string_view kEnd = "(/|$)";
  if (!normalized.starts_with("^/")) return std::nullopt;
  std::string_view body = normalized.substr(1);
  if (body.ends_with(kEnd)) {
    body.remove_suffix(kEnd.size());
  } else if (body.ends_with('/')) {
    body.remove_suffix(1);
  }
  std::string literal;
  while (!body.empty()) {
    if (body.front() == '\\') {
      body.remove_prefix(1);
      if (body.empty() || !IsPunctuation(body.front())) return std::nullopt;
    } else if (std::string_view(".+*?()|[]{}^$").find(body.front()) != std::string_view::npos) {
      return std::nullopt;
    }
    literal.push_back(body.front());
    body.remove_prefix(1);
  }
  const bool whole = normalized.ends_with(kEnd) || normalized.ends_with('/');
  if (!whole || literal.size() < 2 || literal.ends_with('/')) return std::nullopt;
  return BytesOfMatchText(literal);
}

}  // namespace mirrorfs
