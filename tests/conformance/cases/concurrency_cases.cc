// Several processes at once: exactly one winner, nothing torn, nothing lost.
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

constexpr int kProcesses = 8;
constexpr int kRounds = 10;

void RaceRounds(Box& box, const std::function<bool(int process, const std::string& round)>& act) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string suffix = std::to_string(round);
    box.ReportValue("winners", box.Race(kProcesses, [&](int process) { return act(process, suffix); }));
  }
}

void AddWinners(CaseList& cases) {
  cases.Add("race.exclusive_create", [](Box& box) {
    RaceRounds(box, [](int, const std::string& round) {
      return ::open(("f" + round).c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644) >= 0;
    });
  });
  cases.Add("race.mkdir", [](Box& box) {
    RaceRounds(box, [](int, const std::string& round) { return ::mkdir(("d" + round).c_str(), 0755) == 0; });
  });
  cases.Add("race.symlink", [](Box& box) {
    RaceRounds(box, [](int, const std::string& round) { return ::symlink("target", ("s" + round).c_str()) == 0; });
  });
  cases.Add("race.link", [](Box& box) {
    box.Create("source");
    RaceRounds(box, [](int, const std::string& round) { return ::link("source", ("l" + round).c_str()) == 0; });
    box.Show("source");
  });
  cases.Add("race.mknod", [](Box& box) {
    RaceRounds(box, [](int, const std::string& round) { return ::mkfifo(("p" + round).c_str(), 0644) == 0; });
  });
  cases.Add("race.unlink", [](Box& box) {
    for (int round = 0; round < kRounds; ++round) box.Create("f" + std::to_string(round));
    RaceRounds(box, [](int, const std::string& round) { return ::unlink(("f" + round).c_str()) == 0; });
  });
  cases.Add("race.rmdir", [](Box& box) {
    for (int round = 0; round < kRounds; ++round) box.Mkdir("d" + std::to_string(round));
    RaceRounds(box, [](int, const std::string& round) { return ::rmdir(("d" + round).c_str()) == 0; });
  });
  cases.Add("race.rename_away", [](Box& box) {
    for (int round = 0; round < kRounds; ++round) box.Create("f" + std::to_string(round));
    RaceRounds(box, [](int process, const std::string& round) {
      return ::rename(("f" + round).c_str(), ("mine" + std::to_string(process)).c_str()) == 0;
    });
    for (int process = 0; process < kProcesses; ++process) ::unlink(("mine" + std::to_string(process)).c_str());
  });
  cases.Add("race.rename_noreplace", [](Box& box) {
    for (int process = 0; process < kProcesses; ++process) box.Create("mine" + std::to_string(process));
    box.ReportValue("winners", box.Race(kProcesses, [](int process) {
      const std::string mine = "mine" + std::to_string(process);
      return ::renameat2(AT_FDCWD, mine.c_str(), AT_FDCWD, "target", RENAME_NOREPLACE) == 0;
    }));
    box.ReportValue("left", long(box.Names(".").size()));
    for (int process = 0; process < kProcesses; ++process) ::unlink(("mine" + std::to_string(process)).c_str());
  });
  cases.Add("race.flock", [](Box& box) {
    box.Create("f", "0");
    box.ReportValue("counted", box.Race(kProcesses, [](int) {
      for (int i = 0; i < 20; ++i) {
        const int fd = ::open("f", O_RDWR | O_CLOEXEC);
        if (fd < 0 || ::flock(fd, LOCK_EX) != 0) return false;
        char text[20] = {};
        if (::pread(fd, text, sizeof text - 1, 0) < 0) return false;
        const std::string next = std::to_string(std::stoi(text) + 1);
        if (::pwrite(fd, next.data(), next.size(), 0) < 0) return false;
        ::close(fd);
      }
      return true;
    }));
    box.Contents("f");
  });
  cases.Add("race.record_lock", [](Box& box) {
    box.Create("f", "0");
    box.ReportValue("counted", box.Race(kProcesses, [](int) {
      const int fd = ::open("f", O_RDWR | O_CLOEXEC);
      for (int i = 0; i < 20; ++i) {
        struct flock range {};
        range.l_type = F_WRLCK;
        if (::fcntl(fd, F_SETLKW, &range) != 0) return false;
        char text[20] = {};
        if (::pread(fd, text, sizeof text - 1, 0) < 0) return false;
        const std::string next = std::to_string(std::stoi(text) + 1);
        if (::pwrite(fd, next.data(), next.size(), 0) < 0) return false;
        range.l_type = F_UNLCK;
        ::fcntl(fd, F_SETLK, &range);
      }
      return true;
    }));
    box.Contents("f");
  });
}

void AddAppenders(CaseList& cases) {
  for (const int writers : {2, 8}) {
    cases.Add("race.append_by_" + std::to_string(writers), [writers](Box& box) {
      box.Create("f");
      constexpr int kLines = 50;
      box.ReportValue("writers", box.Race(writers, [](int process) {
        const int fd = ::open("f", O_WRONLY | O_APPEND | O_CLOEXEC);
        for (int i = 0; i < kLines; ++i) {
          const std::string line = std::string(size_t(100 + process), char('a' + process)) + "\n";
          if (::write(fd, line.data(), line.size()) != ssize_t(line.size())) return false;
        }
        return true;
      }));
      box.Show("f");
      // The order is chance; the lines are not.
      std::string data(1 << 20, '\0');
      data.resize(size_t(std::max<ssize_t>(0, ::read(box.Open("f", O_RDONLY), data.data(), data.size()))));
      std::vector<std::string> lines;
      for (size_t at = 0; at < data.size();) {
        const size_t end = std::min(data.find('\n', at), data.size());
        lines.push_back(data.substr(at, end - at));
        at = end + 1;
      }
      std::sort(lines.begin(), lines.end());
      std::string joined;
      for (const std::string& line : lines) joined += line + "\n";
      box.Note(Summary(joined));
      box.Unlink("f");
    });
  }
  cases.Add("race.writers_of_own_parts", [](Box& box) {
    box.Create("f");
    box.ReportValue("writers", box.Race(kProcesses, [](int process) {
      const int fd = ::open("f", O_WRONLY | O_CLOEXEC);
      for (int i = 0; i < 30; ++i) {
        const std::string data = Pattern(3000, unsigned(process * 100 + i));
        if (::pwrite(fd, data.data(), 3000, (i * kProcesses + process) * 3000) != 3000) return false;
      }
      return ::close(fd) == 0;
    }));
    box.Show("f");
    box.Contents("f");
  });
  cases.Add("race.replace_while_reading", [](Box& box) {
    // A reader sees one version or the other, never a mixture or nothing.
    box.Create("f", std::string(20000, 'a'));
    box.ReportValue("whole", box.Race(4, [](int process) {
      for (int i = 0; i < 40; ++i) {
        if (process == 0) {
          const std::string data(20000, char('a' + i % 26));
          const int fd = ::open("new", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
          if (::write(fd, data.data(), data.size()) != 20000 || ::close(fd) != 0 || ::rename("new", "f") != 0)
            return false;
        } else {
          std::string data(30000, '\0');
          const int fd = ::open("f", O_RDONLY | O_CLOEXEC);
          const ssize_t got = fd < 0 ? -1 : ::read(fd, data.data(), data.size());
          if (got != 20000 || std::count(data.begin(), data.begin() + 20000, data[0]) != 20000) return false;
          ::close(fd);
        }
      }
      return true;
    }));
  });
  cases.Add("race.make_and_remove", [](Box& box) {
    box.Mkdir("d");
    box.ReportValue("done", box.Race(4, [](int process) {
      for (int i = 0; i < 40; ++i) {
        const std::string path = "d/" + std::to_string(process) + "_" + std::to_string(i);
        const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
        if (fd < 0 || ::write(fd, "x", 1) != 1 || ::close(fd) != 0) return false;
        if (i % 2 == 0 && ::unlink(path.c_str()) != 0) return false;
      }
      return true;
    }));
    box.List("d");
  });
  cases.Add("race.tail", [](Box& box) {
    // A reader byte by byte follows a writer.
    box.Create("f");
    const pid_t writer = box.Start([](Box& child) {
      const int fd = ::open("f", O_WRONLY | O_APPEND | O_CLOEXEC);
      for (int i = 0; i < 200; ++i) {
        if (::write(fd, "0123456789", 10) != 10) child.Note("short");
      }
    });
    const int fd = box.Open("f", O_RDONLY);
    std::string all;
    bool over = false;
    for (;;) {
      char byte;
      const ssize_t got = ::read(fd, &byte, 1);
      if (got == 1) all += byte;
      if (got == 0 && over) break;
      if (got == 0) over = ::waitpid(writer, nullptr, WNOHANG) == writer;
    }
    box.Note(Summary(all));
  });
}

}  // namespace

void AddConcurrencyCases(CaseList& cases) {
  AddWinners(cases);
  AddAppenders(cases);
}

}  // namespace mirrorfs::conformance
