// Who may do what: class of the caller × operation, each over the eight permissions that his class can have.
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

constexpr uid_t kOwner = 2001;
constexpr gid_t kGroup = 2002;

struct CallerClass {
  std::string name;
  Identity identity;
  int shift;  // of his permissions in the mode
};

std::vector<CallerClass> Classes() {
  return {{"owner", {kOwner, 9001, {}}, 6},
          {"group", {3001, kGroup, {9}}, 3},
          {"supplementary", {3002, 9002, {5, kGroup, 7}}, 3},
          {"other", {3003, 9003, {8, 9004}}, 0},
          {"root", {0, 0, {}}, 0},
          {"root_uid_owner_group", {kOwner, kGroup, {}}, 3}};  // the owner's class wins over the group's
}

struct Operation {
  std::string name;
  std::function<void(Box&)> act;
};

std::vector<Operation> FileOperations() {
  return {
      {"open_read", [](Box& box) { box.Open("f", O_RDONLY); }},
      {"open_write", [](Box& box) { box.Open("f", O_WRONLY); }},
      {"open_both", [](Box& box) { box.Open("f", O_RDWR); }},
      {"open_truncate", [](Box& box) { box.Open("f", O_RDONLY | O_TRUNC); }},
      {"open_noatime", [](Box& box) { box.Open("f", O_RDONLY | O_NOATIME); }},
      {"truncate", [](Box& box) { box.Truncate("f", 2); }},
      {"execute", [](Box& box) { box.Execute("f"); }},
      {"access_effective",
       [](Box& box) {
         for (int mode = 0; mode < 8; ++mode) box.Access("f", mode, AT_EACCESS);
       }},
      {"access_real",
       [](Box& box) {
         for (int mode = 0; mode < 8; ++mode) box.Access("f", mode);
       }},
      {"utimens_now", [](Box& box) { box.Utimens("f", kNow, kNow); }},
      {"utimens_explicit", [](Box& box) { box.Utimens("f", kOldTime, kOldTime); }},
      {"utimens_one_now", [](Box& box) { box.Utimens("f", kOmit, kNow); }},
      {"chmod", [](Box& box) { box.Chmod("f", 0640); }},
      {"chown_user", [](Box& box) { box.Chown("f", 3003, -1); }},
      {"chgrp_own", [](Box& box) { box.Chown("f", -1, kGroup); }},
      {"chgrp_other", [](Box& box) { box.Chown("f", -1, 4444); }},
      {"chown_nothing", [](Box& box) { box.Chown("f", -1, -1); }},
      {"setxattr", [](Box& box) { box.Setxattr("f", "user.a", "1"); }},
      {"getxattr", [](Box& box) { box.Getxattr("f", "user.b"); }},
      {"removexattr", [](Box& box) { box.Removexattr("f", "user.b"); }},
      {"link",
       [](Box& box) {
         box.Link("f", "g");
         box.Unlink("g");
       }},
  };
}

std::vector<Operation> DirectoryOperations() {
  return {
      {"list", [](Box& box) { box.List("d"); }},
      {"search",
       [](Box& box) {
         box.Show("d/inner");
         box.Show("d/missing");
       }},
      {"create", [](Box& box) { box.Create("d/new"); }},
      {"open_existing_create", [](Box& box) { box.Open("d/inner", O_CREAT | O_RDONLY, 0644); }},
      {"mkdir", [](Box& box) { box.Mkdir("d/new"); }},
      {"mkfifo", [](Box& box) { box.Mknod("d/new", S_IFIFO | 0644); }},
      {"symlink", [](Box& box) { box.Symlink("x", "d/new"); }},
      {"link_into", [](Box& box) { box.Link("f", "d/new"); }},
      {"unlink", [](Box& box) { box.Unlink("d/inner"); }},
      {"rmdir", [](Box& box) { box.Rmdir("d/empty"); }},
      {"rename_out", [](Box& box) { box.Rename("d/inner", "out"); }},
      {"rename_into", [](Box& box) { box.Rename("f", "d/new"); }},
      {"rename_exchange", [](Box& box) { box.Rename("f", "d/inner", RENAME_EXCHANGE); }},
      {"rename_dir_out", [](Box& box) { box.Rename("d/empty", "out"); }},
      {"chdir", [](Box& box) { box.Child([](Box& child) { child.Chdir("d"); }); }},
      {"access",
       [](Box& box) {
         for (int mode = 0; mode < 8; ++mode) box.Access("d", mode, AT_EACCESS);
       }},
      {"setxattr", [](Box& box) { box.Setxattr("d", "user.a", "1"); }},
  };
}

// The class's permissions are `bits`, everybody else's the opposite.
mode_t ModeFor(const CallerClass& caller, int bits) {
  mode_t mode = 0;
  for (int shift : {0, 3, 6}) mode |= static_cast<mode_t>(shift == caller.shift ? bits : 7 - bits) << shift;
  return mode;
}

void OnFile(Box& box, const CallerClass& caller, const Operation& operation) {
  box.Chmod(".", 0777);
  for (int bits = 0; bits < 8; ++bits) {
    box.Unlink("f");
    box.Create("f", "#!/bin/true\n");
    box.Setxattr("f", "user.b", "2");
    box.Chown("f", kOwner, kGroup);
    box.Chmod("f", ModeFor(caller, bits));
    box.As(caller.identity, operation.act);
    box.Show("f");
  }
}

void MakeDirectory(Box& box, const CallerClass& caller, int bits) {
  box.Mkdir("d");
  box.Create("d/inner");
  box.Mkdir("d/empty");
  box.Create("f");
  for (const char* path : {"d", "d/inner", "d/empty", "f"}) box.Chown(path, kOwner, kGroup);
  box.Chmod("d/empty", 0777);
  box.Chmod("d", ModeFor(caller, bits));
}

void OnDirectory(Box& box, const CallerClass& caller, const Operation& operation) {
  box.Chmod(".", 0777);
  for (int bits = 0; bits < 8; ++bits) {
    const std::string name = std::to_string(bits);
    box.Mkdir(name);
    box.Chmod(name, 0777);
    box.Chdir(name);
    MakeDirectory(box, caller, bits);
    box.As(caller.identity, operation.act);
    box.Chdir("..");
  }
}

}  // namespace

void AddPermissionMatrix(CaseList& cases) {
  for (const CallerClass& caller : Classes()) {
    for (const Operation& operation : FileOperations()) {
      cases.Add("permission." + caller.name + ".file." + operation.name,
                [=](Box& box) { OnFile(box, caller, operation); }, {.root = true});
    }
    for (const Operation& operation : DirectoryOperations()) {
      cases.Add("permission." + caller.name + ".directory." + operation.name,
                [=](Box& box) { OnDirectory(box, caller, operation); }, {.root = true});
    }
  }
}

}  // namespace mirrorfs::conformance
