// FIFOs, sockets, devices, and regular files made with mknod.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

int Bind(Box& box, const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  box.Report("bind(" + path + ")", ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
  return fd;
}

void Connect(Box& box, const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  box.Report("connect(" + path + ")", ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
}

void AddMknod(CaseList& cases) {
  cases.Add("special.mknod_types", [](Box& box) {
    box.Mknod("file", S_IFREG | 0640);
    box.Mknod("file0", 0640);
    box.Mknod("fifo", S_IFIFO | 0640);
    box.Mknod("socket", S_IFSOCK | 0640);
    box.Mknod("dir", S_IFDIR | 0755);
    box.Mknod("link", S_IFLNK | 0777);
    box.Mknod("bad", 0050000 | 0644);
    for (const char* name : {"file", "file0", "fifo", "socket", "dir", "link", "bad"}) box.Show(name);
    box.List(".");
  });
  cases.Add("special.devices",
            [](Box& box) {
              box.Mknod("null", S_IFCHR | 0666, makedev(1, 3));
              box.Mknod("disk", S_IFBLK | 0660, makedev(8, 17));
              box.Mknod("large", S_IFCHR | 0600, makedev(300, 70000));
              for (const char* name : {"null", "disk", "large"}) box.Show(name);
              box.List(".");
              box.Rename("null", "zero");
              box.Link("zero", "nought");
              box.Show("nought");
              box.Chmod("zero", 0600);
              box.Chown("zero", 12, 34);
              box.Utimens("zero", kOldTime, kOldTime);
              box.Show("nought");
            },
            {.root = true});
  cases.Add("special.whiteout_number",
            [](Box& box) {
              box.Mknod("w", S_IFCHR | 0600, makedev(0, 0));
              box.Show("w");
              box.List(".");
            },
            {.root = true});
  cases.Add("special.devices_of_users",
            [](Box& box) {
              box.Chmod(".", 0777);
              box.As({1234, 1234, {}}, [](Box& user) {
                user.Mknod("c", S_IFCHR | 0666, makedev(1, 3));
                user.Mknod("b", S_IFBLK | 0666, makedev(8, 1));
                user.Mknod("p", S_IFIFO | 0666);
                user.Show("c");
                user.Show("p");
              });
            },
            {.root = true});
  cases.Add("special.device_is_usable",
            [](Box& box) {
              box.Mknod("zero", S_IFCHR | 0666, makedev(1, 5));
              const int fd = box.Open("zero", O_RDWR);
              box.Read(fd, 8);
              box.Write(fd, "12345");
            },
            {.root = true});
  cases.Add("special.device_without_driver",
            [](Box& box) {
              box.Mknod("c", S_IFCHR | 0666, makedev(250, 250));
              box.Open("c", O_RDONLY | O_NONBLOCK);
              box.Open("c", O_PATH);
            },
            {.root = true});
}

void AddFifos(CaseList& cases) {
  cases.Add("special.fifo_nonblocking", [](Box& box) {
    box.Mknod("p", S_IFIFO | 0644);
    box.Open("p", O_WRONLY | O_NONBLOCK);
    const int reader = box.Open("p", O_RDONLY | O_NONBLOCK);
    const int writer = box.Open("p", O_WRONLY | O_NONBLOCK);
    box.Read(reader, 10);
    box.Write(writer, "through the pipe");
    box.Read(reader, 7);
    box.Read(reader, 100);
    box.Close(writer);
    box.Read(reader, 10);
    box.Seek(reader, 0, SEEK_SET);
    box.Pread(reader, 1, 0);
    box.Fsync(reader);
    box.Ftruncate(reader, 0);
    box.Truncate("p", 0);
    box.Show("p");
  });
  cases.Add("special.fifo_between_processes", [](Box& box) {
    box.Mknod("p", S_IFIFO | 0644);
    const pid_t writer = box.Start([](Box& child) {
      const int fd = ::open("p", O_WRONLY | O_CLOEXEC);
      if (::write(fd, "message", 7) != 7) child.Note("no message");
    });
    const int reader = box.Open("p", O_RDONLY);
    box.Read(reader, 7);
    box.Read(reader, 7);
    box.Join(writer);
  });
  cases.Add("special.fifo_in_two_links", [](Box& box) {
    box.Mknod("p", S_IFIFO | 0644);
    box.Link("p", "q");
    const int reader = box.Open("p", O_RDONLY | O_NONBLOCK);
    const int writer = box.Open("q", O_WRONLY | O_NONBLOCK);
    box.Write(writer, "x");
    box.Read(reader, 10);
    box.Unlink("p");
    box.Write(writer, "y");
    box.Read(reader, 10);
    box.Show("q");
  });
  cases.Add("special.fifo_flags", [](Box& box) {
    box.Mknod("p", S_IFIFO | 0644);
    box.Open("p", O_RDONLY | O_DIRECTORY);
    const int fd = box.Open("p", O_RDWR | O_NONBLOCK | O_TRUNC);
    box.Write(fd, "a");
    box.Open("p", O_CREAT | O_EXCL | O_RDWR, 0644);
    box.Open("p", O_CREAT | O_RDWR | O_NONBLOCK, 0644);
    box.Chmod("p", 0600);
    box.Utimens("p", kOldTime, kOldTime);
    box.ShowTimes("p");
  });
}

void AddSockets(CaseList& cases) {
  cases.Add("special.socket_bind", [](Box& box) {
    const int fd = Bind(box, "s");
    box.Show("s");
    Bind(box, "s");
    box.Open("s", O_RDONLY);
    box.Open("s", O_RDWR | O_NONBLOCK);
    box.Open("s", O_PATH);
    box.Report("listen", ::listen(fd, 3));
    Connect(box, "s");
    box.Rename("s", "t");
    Connect(box, "t");
    Connect(box, "s");
    box.Unlink("t");
    Connect(box, "t");
  });
  cases.Add("special.socket_umask", [](Box& box) {
    ::umask(0077);
    Bind(box, "s");
    box.Show("s");
    box.Truncate("s", 0);
    box.Setxattr("s", "user.a", "1");
  });
  cases.Add("special.connect_to_no_socket", [](Box& box) {
    box.Create("f");
    Connect(box, "f");
    box.Mknod("s", S_IFSOCK | 0644);
    Connect(box, "s");
    box.Mkdir("d");
    Connect(box, "d");
    Bind(box, "d");
    Bind(box, "f/x");
    Bind(box, "missing/x");
  });
}

}  // namespace

void AddSpecialFileCases(CaseList& cases) {
  AddMknod(cases);
  AddFifos(cases);
  AddSockets(cases);
}

}  // namespace mirrorfs::conformance
