#include "launcher/system/exec_words.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace mirrorfs {

std::vector<char*> ExecPointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& variables) {
  std::vector<std::string> environment = variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name = std::string_view(*entry).substr(0, std::string_view(*entry).find('=') + 1);
    const bool replaced = std::any_of(variables.begin(), variables.end(),
                                      [name](const std::string& variable) { return variable.starts_with(name); });
    if (!replaced) environment.emplace_back(*entry);
  }
  return environment;
}

}  // namespace mirrorfs
