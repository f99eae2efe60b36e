#include "protos/policy/default_lists.h"

#include <string_view>

#include "protos/policy/match_text.h"

namespace mirrorfs {
namespace {

// Programs and their libraries: what runs here has to fit this machine.
constexpr std::string_view kLocalByName[] = {
    R"(.\.so$)",          R"(.\.sh$)",
    R"(.\.rb$)",          R"(.\.d$)",
    R"(.\.pyc$)",         R"(.\.py$)",
    R"(.\.jar$)",         R"(.\.class$)",
    R"(.\.js$)",          R"(.\.pth$)",
    R"(.\.plist$)",       R"(venv\.cfg$)",
    R"(clr-.*-pipe-)",    R"(\.pdb$)",
    R"(\.dll$)",          R"(.*(^|/)jvm\.cfg$)",
    R"(/package\.json$)", R"(/\.yarnrc$)",
    R"(/\.yarnrc.yml$)",  R"(/\.yarnrc.json$)",
    R"(/node_modules)",   R"(.*/\.tool-versions$)",
    R"(.+\.asdf/.+)",
};

constexpr std::string_view kLocalTrees[] = {
    "/proc",        "/sys", "/lib",     "/lib32",   "/lib64",
    "/etc",         "/usr", "/home",    "/bin",     "/sbin",
    "/dev",         "/opt", "/tmp",     "/var/tmp", "/var/db/timezone/zoneinfo",
    "/snap",        "/run", "/selinux", "/nix",     "/home/iojs",
    "/home/runner",
};

constexpr std::string_view kLocalOther[] = {"^/Program Files", "^/$"};

// Below local trees, but about the container: who it is, whom it knows, whom it trusts.
constexpr std::string_view kContainer[] = {
    R"(^/etc/resolv\.conf$)",
    R"(^/etc/hosts$)",
    R"(^/etc/hostname$)",
    R"(^/etc/ssl/certs(/|$))",
};

constexpr std::string_view kCredentialsBelowHome[] = {R"(\.config/gcloud)", R"(\.kube)", R"(\.azure)", R"(\.aws)"};

std::string_view WithoutSlash(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

class RuleList {
 public:
  void Add(std::string_view list, std::string_view pattern) {
    rules_.push_back({.list = std::string(list), .pattern = std::string(pattern), .origin = "default"});
  }
  void AddTrees(std::string_view list, absl::Span<const std::string> paths) {
    for (const std::string& path : paths) {
      if (!WithoutSlash(path).empty()) Add(list, TreePattern(path));
    }
  }
  void AddBelow(std::string_view list, absl::Span<const std::string> directories, std::string_view pattern) {
    for (const std::string& directory : directories) {
      if (directory.empty()) continue;
      Add(list, "^" + QuotePattern(WithoutSlash(directory)) + "/" + std::string(pattern));
    }
  }
  std::vector<PolicyRule> Take() { return std::move(rules_); }

 private:
  std::vector<PolicyRule> rules_;
};

void AddLocal(const ProgramFacts& facts, RuleList& rules) {
  for (const std::string_view pattern : kLocalByName) rules.Add(kDefaultLocalList, pattern);
  for (const std::string_view tree : kLocalTrees) rules.Add(kDefaultLocalList, TreePattern(tree));
  for (const std::string_view pattern : kLocalOther) rules.Add(kDefaultLocalList, pattern);
  rules.AddTrees(kDefaultLocalList, facts.temporary_directory);
  rules.AddTrees(kDefaultLocalList, facts.working_directory);
  for (const std::string& path : facts.executable) rules.Add(kDefaultLocalList, "^" + QuotePattern(path) + "$");
  rules.AddBelow(kDefaultLocalList, facts.home, R"(\.)");
}

}  // namespace

std::string TreePattern(std::string_view absolute_path) {
  return "^" + QuotePattern(WithoutSlash(absolute_path)) + "(/|$)";
}

std::vector<PolicyRule> DefaultRules(const ProgramFacts& facts, Credentials credentials) {
  RuleList rules;
  if (credentials == Credentials::kHidden) {
    for (const std::string_view pattern : kCredentialsBelowHome) {
      rules.AddBelow(kDefaultNotFoundList, facts.home, pattern);
    }
  }
  for (const std::string_view pattern : kContainer) rules.Add(kDefaultReadOnlyList, pattern);
  AddLocal(facts, rules);
  return rules.Take();
}

std::vector<PolicyRule> VolumeRules(absl::Span<const std::string> mount_points) {
  std::vector<PolicyRule> rules;
  for (const std::string& mount_point : mount_points) {
    if (WithoutSlash(mount_point).empty()) continue;
    rules.push_back({.list = std::string(kVolumeList),
                     .pattern = TreePattern(mount_point),
                     .origin = "volume of the target at " + mount_point});
  }
  return rules;
}

}  // namespace mirrorfs
