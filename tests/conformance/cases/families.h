// The families of cases; each adds its own to the list.
#ifndef MIRRORFS_TESTS_CONFORMANCE_CASES_FAMILIES_H_
#define MIRRORFS_TESTS_CONFORMANCE_CASES_FAMILIES_H_

#include "tests/conformance/case.h"

namespace mirrorfs::conformance {

void AddPathCases(CaseList& cases);
void AddTreeCases(CaseList& cases);
void AddSpecialFileCases(CaseList& cases);
void AddRenameCases(CaseList& cases);
void AddRenameMatrix(CaseList& cases);
void AddLinkCases(CaseList& cases);
void AddPermissionMatrix(CaseList& cases);
void AddStickyCases(CaseList& cases);
void AddOwnerCases(CaseList& cases);
void AddSetIdCases(CaseList& cases);
void AddAclCases(CaseList& cases);
void AddTimeCases(CaseList& cases);
void AddOpenCases(CaseList& cases);
void AddReadWriteCases(CaseList& cases);
void AddSparseCases(CaseList& cases);
void AddCopyCases(CaseList& cases);
void AddMapCases(CaseList& cases);
void AddXattrCases(CaseList& cases);
void AddLockCases(CaseList& cases);
void AddDirectoryCases(CaseList& cases);
void AddConcurrencyCases(CaseList& cases);
void AddLimitCases(CaseList& cases);
void AddLowerCases(CaseList& cases);
void AddInsideCases(CaseList& cases);
void AddReadOnlyCases(CaseList& cases);

}  // namespace mirrorfs::conformance

#endif  // MIRRORFS_TESTS_CONFORMANCE_CASES_FAMILIES_H_
