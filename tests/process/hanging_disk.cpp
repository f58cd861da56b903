// A library that is preloaded into a node. The node's disk hangs while one of these files exists. PATH is a file or a
// directory; a directory stands for everything in it:
//   PATH.hang        no sync returns
//   PATH.hang-read   no read returns
//   PATH.hang-close  no close returns
//   PATH.fail        every sync fails
#include <cerrno>
#include <dlfcn.h>
#include <string>
#include <unistd.h>

namespace {

/// Whether the file PATH + `what` exists for the open file or one of its directories. Preserves errno.
bool is_ordered(int fd, const char* what) {
  const int before = errno;
  char name[4096];
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  const auto size = ::readlink(link.c_str(), name, sizeof name);
  bool found = false;
  if (size > 0 && name[0] == '/')
    for (std::string path{name, static_cast<std::size_t>(size)}; !found && path.size() > 1;
         path.resize(path.find_last_of('/')))
      found = ::access((path + what).c_str(), F_OK) == 0;
  errno = before;
  return found;
}

void wait_while(int fd, const char* what) {
  while (is_ordered(fd, what)) ::usleep(5000); // nap: simulates a disk that hangs
}

template <class Function> Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int sync_unless_ordered(int fd, const char* function) {
  wait_while(fd, ".hang");
  if (!is_ordered(fd, ".fail")) return next<int(int)>(function)(fd);
  errno = EIO;
  return -1;
}

} // namespace

extern "C" int fdatasync(int fd) { return sync_unless_ordered(fd, "fdatasync"); }
extern "C" int fsync(int fd) { return sync_unless_ordered(fd, "fsync"); }

extern "C" ssize_t pread(int fd, void* into, size_t size, off_t at) {
  static const auto really = next<ssize_t(int, void*, size_t, off_t)>("pread");
  wait_while(fd, ".hang-read");
  return really(fd, into, size, at);
}
extern "C" ssize_t pread64(int fd, void* into, size_t size, off64_t at) {
  static const auto really = next<ssize_t(int, void*, size_t, off64_t)>("pread64");
  wait_while(fd, ".hang-read");
  return really(fd, into, size, at);
}
extern "C" int close(int fd) {
  static const auto really = next<int(int)>("close");
  wait_while(fd, ".hang-close");
  return really(fd);
}
