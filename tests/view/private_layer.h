// A view of a container with a private layer, for its tests.
#ifndef MIRRORFS_TESTS_VIEW_PRIVATE_LAYER_H_
#define MIRRORFS_TESTS_VIEW_PRIVATE_LAYER_H_

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "protos/layer/layer_changes.h"
#include "tests/view/view_box.h"

namespace mirrorfs {

// The container is at the end what it was at the beginning.
class PrivateLayer : public testing::Test {
 protected:
  void SetUp() override {
    WriteNative(box_.Container("/file"), "content");
    MakeDirectories(box_.Container("/d/sub"));
    WriteNative(box_.Container("/d/file"), "deep");
    before_ = TreeText(box_.Container());
    box_.Make({});
  }
  void TearDown() override { EXPECT_EQ(TreeText(box_.Container()), before_); }
  TreeClient& tree() { return box_.client(); }
  std::vector<std::string> Changes() {
    const auto layer = Layer::Open(box_.LayerDirectory(), LayerUse::kRead);
    const auto changes = ListLayerChanges(**layer);
    std::vector<std::string> texts;
    for (const LayerChange& change : *changes) {
      const std::string from = change.from.empty() ? "" : change.from + " -> ";
      texts.push_back(std::string(1, static_cast<char>(change.kind)) + " " + from + change.path);
    }
    return texts;
  }
  using Texts = std::vector<std::string>;

  ViewBox box_;
  std::string before_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_VIEW_PRIVATE_LAYER_H_
