#include "tests/process/avahi.hpp"

#include "tests/process/cluster.hpp"

#include <csignal>
#include <fstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace troupe::testing {

using namespace std::chrono_literals;

namespace {

/// Whether a process listens on a socket. The socket's file exists a little earlier, and a daemon that starts then
/// gives up.
bool accepts(const std::filesystem::path& socket) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  socket.string().copy(at.sun_path, sizeof at.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  ::close(fd);
  return connected;
}

} // namespace

avahi_host::avahi_host(const lan& net, int host, std::filesystem::path folder, bool daemon)
    : net_(net), host_(host), folder_(std::move(folder)) {
  std::ofstream{file("bus.conf")} << "<busconfig><type>system</type><listen>unix:path=" << file("bus").string()
                                  << "</listen><auth>EXTERNAL</auth><policy context=\"default\">"
                                     "<allow user=\"*\"/><allow own=\"*\"/><allow send_destination=\"*\"/>"
                                     "<allow receive_sender=\"*\"/></policy></busconfig>\n";
  std::ofstream{file("avahi.conf")} << "[server]\nhost-name=host" << host << "\nuse-ipv4=yes\nuse-ipv6=yes\n"
                                    << "[publish]\npublish-workstation=no\npublish-hinfo=no\n"
                                    << "[wide-area]\nenable-wide-area=no\n";
  start_bus();
  if (daemon) start_daemon();
}

std::filesystem::path avahi_host::file(const std::string& name) const {
  return folder_ / ("host" + std::to_string(host_) + "-" + name);
}

std::vector<std::string> avahi_host::at(std::vector<std::string> command) const {
  command.insert(command.begin(), {"/usr/bin/env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + file("bus").string()});
  return net_.at(host_, std::move(command));
}

void avahi_host::start_bus() {
  std::filesystem::remove(file("bus"));
  bus_ = std::make_unique<program>(
      at({"dbus-daemon", "--config-file=" + file("bus.conf").string(), "--nofork", "--nopidfile"}), file("bus.log"));
  wait_for("the bus", 10s, [&] { return accepts(file("bus")); });
}

void avahi_host::stop_bus() { bus_.reset(); }

void avahi_host::start_daemon() {
  daemon_ = std::make_unique<program>(at({"avahi-daemon", "--file=" + file("avahi.conf").string(), "--no-drop-root",
                                          "--no-chroot", "--no-rlimits", "--no-proc-title"}),
                                      file("avahi.log"));
}

void avahi_host::stop_daemon() {
  daemon_->signal(SIGTERM);
  if (!daemon_->wait(10s)) daemon_->kill();
  daemon_.reset();
}

std::string missing_for_avahi() {
  for (const auto* needed : {"/usr/sbin/avahi-daemon", "/usr/bin/dbus-daemon", "/usr/bin/avahi-browse"})
    if (!std::filesystem::exists(needed)) return needed;
  return {};
}

} // namespace troupe::testing
