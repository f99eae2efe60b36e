#include "launcher/plan/exec_plan_text.h"

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace mirrorfs {
namespace {

// As a POSIX shell would read it back.
std::string Quoted(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  return "'" + absl::StrReplaceAll(word, {{"'", "'\\''"}}) + "'";
}

std::string QuotedWords(absl::Span<const std::string> words) {
  return absl::StrJoin(words, " ", [](std::string* out, const std::string& word) { out->append(Quoted(word)); });
}

std::string Field(std::string_view name, std::string_view value) { return fmt::format("{:<12} {}\n", name, value); }

std::string Namespaces(const ExecPlan& plan) {
  if (!plan.view) return "none: every path is this machine's";
  return plan.user_namespace ? "user and mount (your uid and gid are mapped to themselves)" : "mount";
}

std::string Layer(const ExecPlan& plan) {
  if (!plan.view) return "none";
  return plan.layer.empty() ? "a new one, kept if anything is in it" : plan.layer;
}

std::string WorkingDirectory(const ExecPlan& plan) {
  if (plan.container_cwd) return "the one of the target's process";
  return plan.working_directory.empty() ? "this one, which has been deleted" : plan.working_directory;
}

std::string Mounts(const ExecPlan& plan, absl::Span<const std::string> trees) {
  std::string text = "mounts\n";
  if (!plan.view) return text + "  nothing\n";
  text += fmt::format("  {:<20} fuse.mirrorfs, {}, the root of the namespace\n", "/", plan.service.target);
  for (const std::string& tree : trees)
    text += fmt::format("  {:<20} bound from this machine, at native speed\n", tree);
  return text;
}

std::string Policy(const ExecPlan& plan) {
  const PolicySpec policy = PolicyOf(plan, {});
  std::string text = Field("policy", fmt::format("mode {}; the first rule that matches decides", NameOf(policy.mode)));
  if (!plan.view) return text + "  no rule applies in this mode\n";
  for (const PathMapping& mapping : policy.mappings) {
    text += fmt::format("  {:<20} {} -> {}  ({})\n", "mapping", mapping.match, mapping.replace, mapping.origin);
  }
  bool volumes_told = !plan.asks_for_volumes;
  for (const PolicyRule& rule : policy.rules) {
    if (!volumes_told && rule.list.starts_with("default ")) {
      text += fmt::format("  {:<20} the target's volumes, asked for when it starts\n", kVolumeList);
      volumes_told = true;
    }
    text += fmt::format("  {:<20} {}  ({})\n", rule.list, rule.pattern, rule.origin);
  }
  return text;
}

std::string Environment(const ExecPlan& plan) {
  const EnvironmentChoice& choice = plan.environment;
  std::string text = Field("environment", fmt::format("this one ({} variables)", plan.own_environment.size()));
  if (choice.TakesFromTarget()) {
    text += fmt::format("  {:<20} {}\n", "from the target", absl::StrJoin(choice.include, "; "));
    text += fmt::format("  {:<20} {}\n", "unless named", fmt::format("{}", fmt::join(NamesOfThisMachine(), "; ")));
  }
  if (!choice.exclude.empty()) text += fmt::format("  {:<20} {}\n", "but not", absl::StrJoin(choice.exclude, "; "));
  for (const std::string& entry : choice.overrides) text += fmt::format("  {:<20} {}\n", "set", entry);
  for (const std::string& name : choice.unset) text += fmt::format("  {:<20} {}\n", "unset", name);
  return text;
}

std::string Deadline(const MountPlan& service) {
  return service.deadline_seconds == 0 ? "none" : fmt::format("{} s", service.deadline_seconds);
}

}  // namespace

std::string DescribeExecPlan(const ExecPlan& plan, absl::Span<const std::string> trees) {
  return Field("program", QuotedWords(plan.command)) + Field("target", plan.service.target) +
         Field("rights", fmt::format("as {}, {}", plan.service.identity,
                                     plan.service.read_write ? "may write to the container"
                                                             : "cannot write to the container (its agent refuses)")) +
         Field("deadline", Deadline(plan.service)) + Field("namespaces", Namespaces(plan)) +
         Field("layer", Layer(plan)) + Field("directory", WorkingDirectory(plan)) + Mounts(plan, trees) + Policy(plan) +
         Environment(plan);
}

}  // namespace mirrorfs
