// mirrorfs-conformance: performs each case in two directories, the subject (a mount of mirrorfs) and the reference
// (the same layers mounted natively), and compares what the calls returned and what they left behind.
#include <fmt/format.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>
#include <set>
#include <string>

#include "tests/conformance/cases/families.h"
#include "tests/conformance/fixture.h"
#include "tests/conformance/report.h"
#include "tests/conformance/runner.h"

namespace mirrorfs::conformance {
namespace {

namespace po = boost::program_options;

struct Options {
  Tree subject;
  Tree reference;
  std::string filter = "*";
  std::string make_lower;
  uid_t owner = 0;
  bool list = false;
  bool as_user = false;
  bool table = false;
  bool names = false;
  bool verbose = false;
  bool help = false;
};

po::options_description Describe(Options& options) {
  po::options_description description("Options");
  auto add = description.add_options();
  add("subject", po::value(&options.subject.path), "directory to be tried");
  add("reference", po::value(&options.reference.path), "directory that is right by definition");
  add("subject-inside", po::value(&options.subject.inside), "the subject by way of the container");
  add("subject-ro", po::value(&options.subject.read_only), "the subject on a read-only mount");
  add("reference-ro", po::value(&options.reference.read_only), "the reference on a read-only mount");
  add("filter", po::value(&options.filter), "only cases whose name matches this glob; @(A|B) is A or B");
  add("make-lower", po::value(&options.make_lower), "make the content of the lower layer in this directory, and end");
  add("owner", po::value(&options.owner), "owner of the lower layer's files");
  add("list", po::bool_switch(&options.list), "list the cases, and end");
  add("as-user", po::bool_switch(&options.as_user), "leave out what only root can do");
  add("table", po::bool_switch(&options.table), "print which results of which calls were compared");
  add("failed-names", po::bool_switch(&options.names), "print only the names of failed cases");
  add("verbose", po::bool_switch(&options.verbose), "print the reference's trace of each case");
  add("help", po::bool_switch(&options.help), "this text");
  return description;
}

CaseList AllCases() {
  CaseList cases;
  AddPathCases(cases);
  AddTreeCases(cases);
  AddSpecialFileCases(cases);
  AddRenameCases(cases);
  AddRenameMatrix(cases);
  AddLinkCases(cases);
  AddPermissionMatrix(cases);
  AddStickyCases(cases);
  AddOwnerCases(cases);
  AddSetIdCases(cases);
  AddAclCases(cases);
  AddTimeCases(cases);
  AddOpenCases(cases);
  AddReadWriteCases(cases);
  AddSparseCases(cases);
  AddCopyCases(cases);
  AddMapCases(cases);
  AddXattrCases(cases);
  AddLockCases(cases);
  AddDirectoryCases(cases);
  AddConcurrencyCases(cases);
  AddLimitCases(cases);
  AddLowerCases(cases);
  AddInsideCases(cases);
  AddReadOnlyCases(cases);
  return cases;
}

struct Totals {
  int passed = 0;
  int failed = 0;
  int documented = 0;
  int differ = 0;
  int needs_root = 0;
  int needs_mount = 0;
};

class Session {
 public:
  explicit Session(const Options& options) : options_(options) {}

  int Run(const std::vector<Case>& cases) {
    for (const Case& one : cases) {
      if (::fnmatch(options_.filter.c_str(), one.name.c_str(), FNM_EXTMATCH) == 0 && IsPossible(one.traits))
        RunOne(one);
    }
    if (options_.table) fmt::print("{}", coverage_.Table());
    PrintSummary();
    return totals_.failed == 0 && totals_.passed > 0 ? 0 : 1;
  }

 private:
  bool IsPossible(const Traits& traits) {
    if (traits.root && options_.as_user) return ++totals_.needs_root, false;
    if (traits.ordinary && !options_.as_user) return false;
    if (traits.inside && options_.subject.inside.empty()) return ++totals_.needs_mount, false;
    if (traits.place == Place::kReadOnly && options_.subject.read_only.empty()) return ++totals_.needs_mount, false;
    return true;
  }

  void RunOne(const Case& one) {
    const Lines reference = RunCase(one, options_.reference);
    const Lines subject = RunCase(one, options_.subject);
    coverage_.Add(subject);
    if (options_.verbose) fmt::print("CASE {}\n  {}\n", one.name, fmt::join(reference, "\n  "));
    if (Agree(one, reference, subject)) {
      ++totals_.passed;
      return;
    }
    if (!one.traits.may_differ.empty()) {
      ++totals_.differ;
      differences_.insert(one.traits.may_differ);
      return;
    }
    ++totals_.failed;
    if (options_.names) {
      fmt::print("{}\n", one.name);
    } else {
      fmt::print("FAILED {}\n{}", one.name, Difference(reference, subject));
    }
    std::fflush(stdout);
  }

  bool Agree(const Case& one, const Lines& reference, const Lines& subject) {
    const bool broken = std::any_of(reference.begin(), reference.end(),
                                    [](const std::string& line) { return line.rfind("HARNESS", 0) == 0; });
    if (broken) return false;
    if (reference == subject) return true;
    if (one.traits.documented.empty()) return false;
    // The calls must be the documented ones; what they leave behind is not looked at.
    Lines calls(subject.begin(), std::find(subject.begin(), subject.end(), "--- what is left"));
    if (calls != one.traits.documented) return false;
    ++totals_.documented;
    return true;
  }

  void PrintSummary() const {
    fmt::print("{} cases: {} passed, {} failed\n", totals_.passed + totals_.failed, totals_.passed, totals_.failed);
    if (totals_.differ > 0) {
      fmt::print("{} more differ in a documented way: {}\n", totals_.differ, fmt::join(differences_, "; "));
    }
    if (totals_.documented > 0)
      fmt::print("of the passed, {} in a way that is documented to differ\n", totals_.documented);
    if (totals_.needs_root > 0) fmt::print("{} cases left out: they need root\n", totals_.needs_root);
    if (totals_.needs_mount > 0) {
      fmt::print("{} cases left out: they need --subject-inside or --subject-ro\n", totals_.needs_mount);
    }
  }

  const Options& options_;
  Totals totals_;
  Coverage coverage_;
  std::set<std::string> differences_;
};

int Main(int argc, char** argv) {
  Options options;
  const po::options_description description = Describe(options);
  try {
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, description), values);
    po::notify(values);
  } catch (const po::error& error) {
    fmt::print(stderr, "mirrorfs-conformance: {}\n", error.what());
    return 2;
  }
  const CaseList cases = AllCases();
  if (options.help) {
    std::cout << "mirrorfs-conformance --subject DIR --reference DIR [options]\n" << description;
    return 0;
  }
  if (options.list) {
    for (const Case& one : cases.cases()) fmt::print("{}\n", one.name);
    return 0;
  }
  if (!options.make_lower.empty()) {
    MakeLower(options.make_lower, cases.cases(), options.owner);
    return 0;
  }
  if (options.subject.path.empty() || options.reference.path.empty()) {
    fmt::print(stderr, "mirrorfs-conformance: --subject and --reference are needed; see --help\n");
    return 2;
  }
  return Session(options).Run(cases.cases());
}

}  // namespace
}  // namespace mirrorfs::conformance

int main(int argc, char** argv) { return mirrorfs::conformance::Main(argc, argv); }
