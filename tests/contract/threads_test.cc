// Calls from many threads at once.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

constexpr int kThreads = 8;

class ThreadsContract : public ContractTest {
 protected:
  static void Run(const std::function<void(int)>& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
  }
  static HandleId HandleOf(int thread, int number) { return HandleId{(uint64_t(thread + 1) << 32) + number + 1}; }
};

TEST_F(ThreadsContract, ExclusiveCreatesHaveOneWinner) {
  for (int round = 0; round < 20; ++round) {
    const std::string name = "file" + std::to_string(round);
    std::atomic<int> winners = 0;
    std::atomic<int> losers = 0;
    Run([&](int thread) {
      const std::string result = Error(fs().Create(call_, New(root_, name), true, HandleOf(thread, round), kReadWrite));
      if (result == "OK") ++winners;
      if (result == "EEXIST") ++losers;
    });
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(losers, kThreads - 1);
  }
}

TEST_F(ThreadsContract, ExclusiveDirectoriesHaveOneWinner) {
  for (int round = 0; round < 20; ++round) {
    const std::string name = "d" + std::to_string(round);
    std::atomic<int> winners = 0;
    Run([&](int) {
      const std::string result = Error(fs().Mkdir(call_, New(root_, name)));
      if (result == "OK") ++winners;
      EXPECT_TRUE(result == "OK" || result == "EEXIST") << result;
    });
    EXPECT_EQ(winners, 1);
  }
}

TEST_F(ThreadsContract, NonExclusiveCreatesAllOpenOneFile) {
  std::atomic<int> created = 0;
  std::array<NodeId, kThreads> nodes = {};
  Run([&](int thread) {
    auto result = fs().Create(call_, New(root_, "file"), false, HandleOf(thread, 0), kReadWrite);
    ASSERT_EQ(Error(result), "OK");
    if (result->created) ++created;
    nodes[thread] = result->entry.node;
  });
  EXPECT_EQ(std::set<NodeId>(nodes.begin(), nodes.end()).size(), 1u);
  // What a system call has made is not told: the adapter guesses.
  EXPECT_TRUE(created == 1 || world().ThroughKernel()) << created;
}

TEST_F(ThreadsContract, LookupsAndForgetsOfOneFile) {
  WriteNative("file", "content");
  Run([&](int thread) {
    for (int i = 0; i < 200; ++i) {
      auto entry = fs().Lookup(call_, root_, "file");
      ASSERT_EQ(Error(entry), "OK");
      const HandleId handle = HandleOf(thread, i);
      ASSERT_EQ(Error(fs().Open(call_, entry->node, handle, kReadOnly, 0)), "OK");
      EXPECT_EQ(ReadFile(handle, 0, 100), "content");
      Release(handle);
      Forget(entry->node, 1);
    }
  });
}

TEST_F(ThreadsContract, WritesToPartsOfOneFile) {
  WriteNative("file", "");
  const HandleId handle = OpenFile("file", kReadWrite);
  constexpr uint32_t kPart = 10'000;
  Run([&](int thread) {
    for (int i = 0; i < 10; ++i) WriteFile(handle, (i * kThreads + thread) * kPart, Pattern(kPart, thread + 1));
  });
  const std::string content = ReadNative("file");
  ASSERT_EQ(content.size(), 10u * kThreads * kPart);
  for (int i = 0; i < 10 * kThreads; ++i) {
    ASSERT_TRUE(content.substr(i * kPart, kPart) == Pattern(kPart, i % kThreads + 1)) << i;
  }
}

TEST_F(ThreadsContract, AppendsAreWhole) {
  WriteNative("log", "");
  Run([&](int thread) {
    const HandleId handle = HandleOf(thread, 0);
    auto entry = fs().Lookup(call_, root_, "log");
    ASSERT_EQ(Error(entry), "OK");
    ASSERT_EQ(Error(fs().Open(call_, entry->node, handle, {.write = true, .append = true}, 0)), "OK");
    for (int i = 0; i < 50; ++i) WriteFile(handle, 0, std::string(99, static_cast<char>('a' + thread)) + "\n");
  });
  const std::string content = ReadNative("log");
  ASSERT_EQ(content.size(), 50u * kThreads * 100);
  for (size_t at = 0; at < content.size(); at += 100) {
    ASSERT_EQ(content.substr(at, 99), std::string(99, content[at]));
    ASSERT_EQ(content[at + 99], '\n');
  }
}

TEST_F(ThreadsContract, TreeIsChangedAndListedAtOnce) {
  MakeDirectory("d");
  for (int i = 0; i < 50; ++i) WriteNative("d/stays-" + std::to_string(i), "");
  const NodeId directory = Node("d");
  Run([&](int thread) {
    const std::string mine = "thread-" + std::to_string(thread);
    for (int i = 0; i < 15; ++i) {
      if (thread % 2 == 0) {
        ASSERT_EQ(Error(fs().Mkdir(call_, New(directory, mine))), "OK");
        ASSERT_EQ(Error(fs().Rename(call_, directory, mine, directory, mine + "-moved", RenameMode::kNoReplace)), "OK");
        ASSERT_EQ(Error(fs().Rmdir(call_, directory, mine + "-moved")), "OK");
      } else {
        const std::vector<std::string> names = List(directory, 512);
        EXPECT_GE(names.size(), 50u);
        EXPECT_LE(std::count_if(names.begin(), names.end(), [](auto& name) { return name.starts_with("stays"); }), 50);
      }
    }
  });
  EXPECT_EQ(List(directory).size(), 50u);
}

TEST_F(ThreadsContract, UmasksOfCallsAtOnceAreApart) {
  Run([&](int thread) {
    const uint32_t umask = thread % 2 == 0 ? 077 : 0;
    for (int i = 0; i < 30; ++i) {
      auto made = fs().Mkdir(call_, New(root_, std::to_string(thread) + "-" + std::to_string(i), 0777, umask));
      ASSERT_EQ(Error(made), "OK");
      EXPECT_EQ(made->attributes.permissions, 0777 & ~umask);
    }
  });
}

TEST_F(ThreadsContract, CallersAtOnceAreApart) {
  Remake({.caller = true});
  chmod(Path().c_str(), 0777);
  Run([&](int thread) {
    CallContext context;
    context.caller = {.uid = 1000u + thread, .gid = 2000u + thread, .groups = {}};
    for (int i = 0; i < 30; ++i) {
      auto made = fs().Mkdir(context, New(root_, std::to_string(thread) + "-" + std::to_string(i)));
      ASSERT_EQ(Error(made), "OK");
      EXPECT_EQ(made->attributes.uid, 1000u + thread);
      EXPECT_EQ(made->attributes.gid, 2000u + thread);
    }
  });
}

TEST_F(ThreadsContract, OneHardLinkedFileUnderManyNamesIsOneNode) {
  WriteNative("file", "");
  for (int i = 0; i < kThreads; ++i) {
    ASSERT_EQ(link(Path("file").c_str(), Path("link" + std::to_string(i)).c_str()), 0);
  }
  std::array<NodeId, kThreads> nodes = {};
  Run([&](int thread) { nodes[thread] = Node("link" + std::to_string(thread)); });
  EXPECT_EQ(std::set<NodeId>(nodes.begin(), nodes.end()).size(), 1u);
}

}  // namespace
}  // namespace mirrorfs
