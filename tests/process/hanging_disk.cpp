// Loaded into a node before its libraries: its disk hangs for as long as a file tells it to. A sync of anything in
// DIRECTORY waits while there is a file DIRECTORY.hang.
#include <cerrno>
#include <dlfcn.h>
#include <string>
#include <unistd.h>

namespace {

bool hangs(int fd) {
  char name[4096];
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  const auto size = ::readlink(link.c_str(), name, sizeof name);
  if (size <= 0) return false;
  std::string path{name, static_cast<std::size_t>(size)};
  for (; path.size() > 1; path.resize(path.find_last_of('/')))
    if (::access((path + ".hang").c_str(), F_OK) == 0) return true;
  return false;
}

int sync_when_it_answers(int fd, const char* function) {
  while (hangs(fd)) ::usleep(5000); // nap: a disk that hangs
  return reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, function))(fd);
}

} // namespace

extern "C" int fdatasync(int fd) { return sync_when_it_answers(fd, "fdatasync"); }
extern "C" int fsync(int fd) { return sync_when_it_answers(fd, "fsync"); }
