// What is printed about the cases that were run.
#ifndef MIRRORFS_TESTS_CONFORMANCE_REPORT_H_
#define MIRRORFS_TESTS_CONFORMANCE_REPORT_H_

#include <map>
#include <string>
#include <vector>

namespace mirrorfs::conformance {

using Lines = std::vector<std::string>;

// The lines in which two traces differ ("-" the reference's, "+" the subject's), with where it happened.
std::string Difference(const Lines& reference, const Lines& subject);

// How often each call ended in each way.
class Coverage {
 public:
  // Counts the lines "call(...) = result" of a trace.
  void Add(const Lines& trace);
  // One line for each call: results with their counts.
  std::string Table() const;

 private:
  std::map<std::string, std::map<std::string, int>> counts_;
};

}  // namespace mirrorfs::conformance

#endif  // MIRRORFS_TESTS_CONFORMANCE_REPORT_H_
