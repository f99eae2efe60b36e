// Connections that are carried by real programs.
#include "launcher/tunnel/exec_carrier.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "launcher/system/process_identity.h"

namespace mirrorfs {
namespace {

struct Connection {
  UniqueFd daemons;
  UniqueFd carried;
};

Connection Connect() {
  std::array<int, 2> ends;
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

ExecCarrierOptions Running(const std::string& script) {
  return {.command = {"/bin/sh", "-c", script}, .variables = {}};
}

// Runs the loop until `done`, or a minute is over.
void RunUntil(EventLoop& loop, const std::function<bool()>& done) {
  bool late = false;
  const auto limit = loop.After(absl::Seconds(60), [&] {
    late = true;
    loop.Stop();
  });
  std::function<void()> look = [&] {
    if (done()) return loop.Stop();
    loop.After(absl::Milliseconds(5), look);
  };
  look();
  if (!done()) loop.Run();
  loop.Cancel(limit);
  EXPECT_FALSE(late);
}

bool AtEnd(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

TEST(ExecCarrier, BytesGoBothWaysAtOnceInFull) {
  EventLoop loop;
  ExecCarrier carrier(loop, Running("exec cat"));
  Connection connection = Connect();
  ASSERT_TRUE(carrier.Carry(std::move(connection.carried)).ok());
  const std::string sent(8 << 20, 'x');
  std::thread writer([&] {
    for (size_t done = 0; done < sent.size();) {
      const ssize_t count = ::write(connection.daemons.get(), sent.data() + done, sent.size() - done);
      ASSERT_GT(count, 0);
      done += static_cast<size_t>(count);
    }
  });
  size_t received = 0;
  std::vector<char> buffer(65536);
  while (received < sent.size()) {
    const ssize_t count = ::read(connection.daemons.get(), buffer.data(), buffer.size());
    ASSERT_GT(count, 0);
    received += static_cast<size_t>(count);
  }
  writer.join();
}

TEST(ExecCarrier, TheCommandsEndBreaksTheConnection) {
  EventLoop loop;
  // What it leaves behind has the connection, too, and does not keep it.
  ExecCarrier carrier(loop, Running("sleep 60 & exit 1"));
  Connection connection = Connect();
  ASSERT_TRUE(carrier.Carry(std::move(connection.carried)).ok());
  RunUntil(loop, [&] { return AtEnd(connection.daemons.get()); });
  EXPECT_EQ(carrier.StreamCount(), 0U);
}

TEST(ExecCarrier, ADaemonThatLeavesEndsTheCommand) {
  EventLoop loop;
  ExecCarrier carrier(loop, Running("trap '' TERM HUP PIPE; while :; do sleep 60; done"));
  Connection connection = Connect();
  ASSERT_TRUE(carrier.Carry(std::move(connection.carried)).ok());
  connection.daemons.reset();
  RunUntil(loop, [&] { return carrier.StreamCount() == 0; });
}

TEST(ExecCarrier, ThereAreOnlySoMany) {
  EventLoop loop;
  ExecCarrierOptions options = Running("exec cat");
  options.max_streams = 2;
  ExecCarrier carrier(loop, std::move(options));
  std::vector<Connection> connections;
  for (int i = 0; i < 3; ++i) connections.push_back(Connect());
  EXPECT_TRUE(carrier.Carry(std::move(connections[0].carried)).ok());
  EXPECT_TRUE(carrier.Carry(std::move(connections[1].carried)).ok());
  EXPECT_FALSE(carrier.Carry(std::move(connections[2].carried)).ok());
  RunUntil(loop, [&] { return AtEnd(connections[2].daemons.get()); });  // a child may have it until it is a program
  EXPECT_FALSE(AtEnd(connections[0].daemons.get()));
}

TEST(ExecCarrier, ConnectionsThatFailOneAfterTheOtherAreTold) {
  EventLoop loop;
  int told = 0;
  ExecCarrierOptions options = Running("exit 1");
  options.failing = [&] { ++told; };
  ExecCarrier carrier(loop, std::move(options));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(told, 0);
    Connection connection = Connect();
    ASSERT_TRUE(carrier.Carry(std::move(connection.carried)).ok());
    RunUntil(loop, [&] { return carrier.StreamCount() == 0; });
  }
  EXPECT_EQ(told, 1);
}

TEST(ExecCarrier, ConnectionsThatAreCutOffAtOnceAreNoFailingAgent) {
  for (const char* end : {"read -r line; exit 1", "read -r line; kill -9 $$"}) {
    EventLoop loop;
    int told = 0;
    ExecCarrierOptions options = Running(end);
    options.failing = [&] { ++told; };
    ExecCarrier carrier(loop, std::move(options));
    std::vector<Connection> connections;
    for (int i = 0; i < 6; ++i) {
      connections.push_back(Connect());
      ASSERT_TRUE(carrier.Carry(std::move(connections.back().carried)).ok());
    }
    for (const Connection& connection : connections) ASSERT_EQ(::write(connection.daemons.get(), "\n", 1), 1);
    RunUntil(loop, [&] { return carrier.StreamCount() == 0; });
    EXPECT_EQ(told, 0) << end;
  }
}

}  // namespace
}  // namespace mirrorfs
