// A case, and the list of them.
#ifndef MIRRORFS_TESTS_CONFORMANCE_CASE_H_
#define MIRRORFS_TESTS_CONFORMANCE_CASE_H_

#include <functional>
#include <string>
#include <vector>

namespace mirrorfs::conformance {

class Box;

// The directory that a case finds itself in.
enum class Place {
  kFresh,      // empty, made for the case (upper layer)
  kLower,      // holds the files of fixture.h, in the lower layer
  kLowerBig,   // the same, with a big file
  kLowerMany,  // the same, with a directory of many files
  kReadOnly,   // as kLower, on a mount that is read-only
};

struct Traits {
  Place place = Place::kFresh;
  bool root = false;      // needs root: other ids, devices, trusted attributes
  bool inside = false;    // needs another way to the same files: from inside of the container
  bool ordinary = false;  // only for an ordinary user
  // A documented difference: what the subject's trace may be instead of the reference's.
  std::vector<std::string> documented = {};
  // A documented difference that may show anywhere in the trace, and why: the case is run, told of, and not failed.
  std::string may_differ = {};
};

struct Case {
  std::string name;  // family.what
  Traits traits;
  std::function<void(Box&)> run;
};

class CaseList {
 public:
  void Add(std::string name, std::function<void(Box&)> run, Traits traits = {}) {
    cases_.push_back({std::move(name), std::move(traits), std::move(run)});
  }
  const std::vector<Case>& cases() const { return cases_; }

 private:
  std::vector<Case> cases_;
};

}  // namespace mirrorfs::conformance

#endif  // MIRRORFS_TESTS_CONFORMANCE_CASE_H_
