// Random changes of a view whose container is private, and of a plain directory with the same content: every answer and
// every tree must be the same, across ends of the view, and the container is never touched.
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "fmt/format.h"
#include "fusefs/view/layer_apply.h"
#include "gtest/gtest.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

struct HandlePair {
  HandleId view;
  HandleId plain;
};

class Comparison {
 public:
  Comparison() {
    Seed(box_.Container());
    Seed(box_.Local("/plain"));
    before_ = TreeText(box_.Container());
    Begin();
    plain_files_ = ViewBox::MakeFiles(box_.Local("/plain"), true);
    plain_ = std::make_unique<TreeClient>(*plain_files_);
  }

  void Run();

 private:
  // A view of which the kernel knows all names of files that have several: only so can a copy have all of them.
  void Begin() {
    box_.Make({});
    TreeClient& tree = box_.client();
    for (const auto& [path, text] : tree.Snapshot()) {
      const auto found = tree.Find(path);
      const bool kept = found.ok() && found->attributes.type != FileType::kDirectory && found->attributes.nlink > 1;
      if (!found.ok() || kept || found->node == NodeId::kRoot) continue;
      const ForgottenNode forgotten{found->node, 1};
      tree.files().Forget({&forgotten, 1});
    }
  }

  static void Seed(const std::string& root) {
    MakeDirectories(root + "/a/x/y");
    MakeDirectories(root + "/b/x");
    MakeDirectories(root + "/c");
    for (const char* name : {"/f", "/g", "/a/f", "/a/x/f", "/a/x/y/g", "/b/g", "/b/x/f", "/b/x/h"}) {
      WriteNative(root + name, std::string("seed of ") + name);
    }
    std::filesystem::create_symlink("f", root + "/a/h");
    std::filesystem::create_hard_link(root + "/g", root + "/b/f");
    std::filesystem::create_hard_link(root + "/a/f", root + "/a/c");
    std::filesystem::create_hard_link(root + "/a/f", root + "/c/y");
    std::filesystem::permissions(root, std::filesystem::perms(0755));
  }

  std::string AnyPath() {
    static const char* const kDirectories[] = {"", "/a", "/b", "/c", "/a/x", "/b/x", "/a/x/y", "/h", "/a/g"};
    static const char* const kNames[] = {"a", "b", "c", "x", "y", "f", "g", "h"};
    return std::string(kDirectories[random_() % 9]) + "/" + kNames[random_() % 8];
  }

  // One change or question, to either. Returns what was asked, with both answers in `view` and `plain`.
  std::string Step(std::string& view, std::string& plain) {
    TreeClient& one = box_.client();
    TreeClient& two = *plain_;
    const std::string path = AnyPath();
    const std::string other = AnyPath();
    const std::string text = fmt::format("{:x}", random_());
    const auto both = [&](const std::string& what, auto call) {
      view = call(one);
      plain = call(two);
      return what + " " + path;
    };
    switch (random_() % 20) {
      case 0:
        return both("write", [&](TreeClient& tree) { return tree.Write(path, text); });
      case 1:
        return both("overwrite", [&](TreeClient& tree) { return tree.Overwrite(path, 3, text); });
      case 2:
        return both("append", [&](TreeClient& tree) { return tree.Append(path, text); });
      case 3:
        return both("create", [&](TreeClient& tree) { return tree.Create(path); });
      case 4:
        return both("truncate", [&](TreeClient& tree) { return tree.Truncate(path, 5); });
      case 5:
        return both("chmod", [&](TreeClient& tree) { return tree.Chmod(path, 0600 + (text[0] & 077)); });
      case 6:
        return both("set user.a", [&](TreeClient& tree) { return tree.SetXattr(path, "user.a", text); });
      case 7:
        return both("remove user.a", [&](TreeClient& tree) { return tree.RemoveXattr(path, "user.a"); });
      case 8:
      case 9:
        return both("mkdir", [&](TreeClient& tree) { return tree.Mkdir(path); });
      case 10:
        return both("symlink", [&](TreeClient& tree) { return tree.Symlink(path, text); });
      case 11:
        return both("link to " + other, [&](TreeClient& tree) { return tree.Link(path, other); });
      case 12:
        return both("unlink", [&](TreeClient& tree) { return tree.Unlink(path); });
      case 13:
        return both("rmdir", [&](TreeClient& tree) { return tree.Rmdir(path); });
      case 14:
      case 15:
        return both("rename to " + other, [&](TreeClient& tree) { return tree.Rename(path, other); });
      case 16:
        return both("exchange with " + other,
                    [&](TreeClient& tree) { return tree.Rename(path, other, RenameMode::kExchange); });
      case 17:
        return both("chown", [&](TreeClient& tree) { return tree.Chown(path, 7, 8); });
      case 18:
        return StepOnHandles(path, text, view, plain);
      default:
        return both("list", [&](TreeClient& tree) { return tree.List(path); });
    }
  }

  std::string StepOnHandles(const std::string& path, const std::string& text, std::string& view, std::string& plain) {
    if (handles_.size() < 6) {
      const HandlePair opened{box_.client().Open(path, {.read = true, .write = true}),
                              plain_->Open(path, {.read = true, .write = true})};
      view = opened.view == HandleId::kNone ? "no" : "yes";
      plain = opened.plain == HandleId::kNone ? "no" : "yes";
      if (view == "yes" && plain == "yes") handles_.push_back(opened);
      return "open " + path;
    }
    const size_t index = random_() % handles_.size();
    const HandlePair pair = handles_[index];
    if (random_() % 3 != 0) {
      view = box_.client().WriteHandle(pair.view, 2, text) + box_.client().ReadHandle(pair.view);
      plain = plain_->WriteHandle(pair.plain, 2, text) + plain_->ReadHandle(pair.plain);
      return "write and read a handle";
    }
    view = box_.client().ReadHandle(pair.view);
    plain = plain_->ReadHandle(pair.plain);
    box_.client().Close(pair.view);
    plain_->Close(pair.plain);
    handles_.erase(handles_.begin() + static_cast<ptrdiff_t>(index));
    return "read and close a handle";
  }

  void CloseAll() {
    for (const HandlePair& pair : handles_) {
      box_.client().Close(pair.view);
      plain_->Close(pair.plain);
    }
    handles_.clear();
  }

  ViewBox box_;
  std::unique_ptr<RootedFilesystem> plain_files_;
  std::unique_ptr<TreeClient> plain_;
  std::string before_;
  std::vector<HandlePair> handles_;
  std::mt19937 random_;
};

void Comparison::Run() {
  const char* seed_text = getenv("MIRRORFS_VIEW_SEED");
  const uint32_t seed = seed_text != nullptr ? static_cast<uint32_t>(atoi(seed_text)) : 20261126;
  const char* steps_text = getenv("MIRRORFS_VIEW_STEPS");
  const int steps = steps_text != nullptr ? atoi(steps_text) : 3000;
  random_.seed(seed);
  std::vector<std::string> done;
  for (int i = 1; i <= steps; ++i) {
    std::string view;
    std::string plain;
    done.push_back(Step(view, plain));
    if (done.size() > 40) done.erase(done.begin());
    std::string history;
    if (view != plain) {
      for (const std::string& step : done) history += "  " + step + "\n";
    }
    ASSERT_EQ(view, plain) << "step " << i << " of seed " << seed << ":\n" << history;
    if (i % 25 == 0) {
      const auto shown = box_.client().Snapshot();
      const auto expected = plain_->Snapshot();
      if (shown != expected) {
        for (const std::string& step : done) history += "  " + step + "\n";
      }
      ASSERT_EQ(shown, expected) << "step " << i << " of seed " << seed << ":\n" << history;
    }
    if (i % 400 == 0) {
      CloseAll();
      Begin();
    }
    if (i % 1000 != 0) continue;
    ASSERT_EQ(TreeText(box_.Container()), before_) << "the container has changed";
  }
  CloseAll();
  EXPECT_EQ(TreeText(box_.Container()), before_);
  // A layer that a view left is read as it was left.
  box_.Make({});
  EXPECT_EQ(box_.client().Snapshot(), plain_->Snapshot());
  // Applied, the layer makes the container what the view was.
  box_.End();
  {
    const auto layer = Layer::Open(box_.LayerDirectory(), LayerUse::kChange);
    const auto container = ViewBox::MakeFiles(box_.Container(), true);
    // What hides behind several names of one file, or behind links of an ordinary user, may count as changed there.
    // A directory that its owner has closed is closed to the second attempt of an ordinary user.
    for (const bool force : {false, true}) {
      if (!force && geteuid() != 0) continue;
      const absl::Status applied = ApplyLayer(*container, **layer, {.force = force}, [&](const AppliedChange& change) {
        EXPECT_TRUE(!force || change.result == ApplyResult::kApplied || change.result == ApplyResult::kAlready)
            << static_cast<char>(change.kind) << " " << change.path << ": " << change.message;
        EXPECT_NE(change.result, ApplyResult::kFailed) << change.path << ": " << change.message;
      });
      EXPECT_TRUE(applied.ok());
    }
    EXPECT_EQ(TreeClient(*container).Snapshot(), plain_->Snapshot());
    EXPECT_TRUE((*layer)->IsEmpty());
  }
}

TEST(RandomChanges, AreThoseOfAPlainDirectory) { Comparison().Run(); }

// Owners and permissions in the layer are recorded, then, and rights are checked by the view.
TEST(RandomChanges, OfAnOrdinaryUser) {
  if (geteuid() != 0)
    GTEST_SKIP()
        << "needs root to become another user; run as an ordinary user, AreThoseOfAPlainDirectory is this test";
  const pid_t child = fork();
  if (child == 0) {
    const bool changed =
        setgroups(0, nullptr) == 0 && setresgid(4000, 4000, 4000) == 0 && setresuid(4000, 4000, 4000) == 0;
    // A program of its own: threads remember whose rights they began with.
    if (changed) execl("/proc/self/exe", "view-test", "--gtest_filter=*.AreThoseOfAPlainDirectory", nullptr);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "see above";
}

}  // namespace
}  // namespace mirrorfs
