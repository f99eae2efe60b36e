#include "tests/model/checker.h"

#include <algorithm>
#include <cstdio>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

constexpr size_t kShownOperations = 40;
constexpr int kReplays = 400;

// Lines that are in one of the two only.
std::string Difference(const std::string& tested, const std::string& reference) {
  std::string result;
  size_t a = 0;
  size_t b = 0;
  while ((a < tested.size() || b < reference.size()) && result.size() < 2000) {
    const std::string one = tested.substr(a, tested.find('\n', a) - a);
    const std::string two = reference.substr(b, reference.find('\n', b) - b);
    if (one != two) result += fmt::format("  tested:    {}\n  reference: {}\n", one, two);
    a = std::min(tested.size(), a + one.size() + 1);
    b = std::min(reference.size(), b + two.size() + 1);
  }
  return result;
}

}  // namespace

std::string Checker::Do(const Operation& operation) {
  const std::string reference = reference_.Do(operation);
  const std::string tested = tested_.Do(operation);
  if (tested == reference) return "";
  return fmt::format("  tested:    {}\n  reference: {}\n", tested, reference);
}

std::string Checker::Compare() {
  const std::string open_tested = tested_.DescribeOpenFiles();
  const std::string open_reference = reference_.DescribeOpenFiles();
  if (open_tested != open_reference) return Difference(open_tested, open_reference);
  const std::string tree_tested = tested_.Describe();
  const std::string tree_reference = reference_.Describe();
  return tree_tested == tree_reference ? "" : Difference(tree_tested, tree_reference);
}

bool Checker::Run() {
  fmt::print("model: seed {}, {} operations on {} and {}\n", options_.seed, options_.operations, options_.directory,
             options_.reference);
  fflush(stdout);
  OperationSource source(options_.seed);
  while (done_.size() < options_.operations) {
    done_.push_back(source.Next());
    std::string difference = Do(done_.back());
    const bool due = done_.size() % options_.compare_every == 0 || done_.size() == options_.operations;
    if (difference.empty() && due) difference = Compare();
    if (difference.empty()) continue;
    Report(difference);
    Shrink();
    return false;
  }
  tested_.Clear();
  reference_.Clear();
  fmt::print("model: {} operations, no difference\n", done_.size());
  return true;
}

void Checker::Report(const std::string& difference) const {
  fmt::print("model: DIFFERENCE after operation {} with seed {}:\n{}The last operations:\n", done_.size(),
             options_.seed, difference);
  for (size_t i = done_.size() - std::min(done_.size(), kShownOperations); i < done_.size(); ++i) {
    fmt::print("  {}: {}\n", i + 1, ToString(done_[i]));
  }
  fflush(stdout);
}

bool Checker::Fails(const std::vector<Operation>& operations) {
  tested_.Clear();
  reference_.Clear();
  for (const Operation& operation : operations) {
    if (!Do(operation).empty()) return true;
  }
  return !Compare().empty();
}

// First a short end of the series that fails from an empty directory, then without one part after the other.
void Checker::Shrink() {
  std::vector<Operation> failing;
  for (size_t size = 64; failing.empty() && size / 2 < done_.size(); size *= 2) {
    const std::vector<Operation> end(done_.end() - std::min(size, done_.size()), done_.end());
    if (Fails(end)) failing = end;
  }
  if (failing.empty()) {
    fmt::print("It does not happen again from an empty directory.\n");
    return;
  }
  int replays = 0;
  for (size_t part = failing.size() / 2; part > 0 && replays < kReplays; part /= 2) {
    for (size_t at = 0; at + part <= failing.size() && replays < kReplays; ++replays) {
      std::vector<Operation> shorter = failing;
      shorter.erase(shorter.begin() + at, shorter.begin() + at + part);
      if (Fails(shorter)) {
        failing = std::move(shorter);
      } else {
        at += part;
      }
    }
  }
  fmt::print("It happens again with {} operations:\n", failing.size());
  for (const Operation& operation : failing) fmt::print("  {}\n", ToString(operation));
}

}  // namespace mirrorfs
