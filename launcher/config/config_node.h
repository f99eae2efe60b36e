// The text of a configuration file as a tree in which everything knows its line, whatever it was written in.
#ifndef MIRRORFS_LAUNCHER_CONFIG_CONFIG_NODE_H_
#define MIRRORFS_LAUNCHER_CONFIG_CONFIG_NODE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

struct ConfigEntry;

struct ConfigNode {
  enum class Kind : uint8_t { kNothing, kText, kWord, kList, kMap };

  Kind kind = Kind::kNothing;  // kWord: not in quotes, so it may be meant as a number or a truth value
  int line = 0;                // from 1; 0: unknown
  std::string text;            // of kText and kWord
  std::vector<ConfigNode> items;
  std::vector<ConfigEntry> entries;  // in the file's order

  bool IsText() const { return kind == Kind::kText || kind == Kind::kWord; }
  // Null: no such key, or no map.
  const ConfigNode* Find(std::string_view key) const;
};

struct ConfigEntry {
  std::string key;
  int line = 0;
  ConfigNode value;
};

enum class ConfigSyntax : uint8_t { kYaml, kJson, kToml };

// By the end of the file's name; YAML if that says nothing.
ConfigSyntax SyntaxOf(std::string_view file);

// `file` is for messages: "FILE:LINE: what is wrong". Fails with kUsage, also for a key that is there twice. An empty
// file is kNothing.
absl::StatusOr<ConfigNode> ParseConfig(ConfigSyntax syntax, const std::string& text, std::string_view file);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_CONFIG_NODE_H_
