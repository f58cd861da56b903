// Fuzzes what others announce by mDNS, and what a node announces about itself.
#include "discovery/mdns_view.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <troupe/address.hpp>

using namespace troupe;

namespace {

/// Returns the input's bytes, and zeros after its end.
class taker {
 public:
  explicit taker(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  unsigned byte() {
    const auto part = text(1);
    return part.empty() ? 0U : static_cast<unsigned char>(part.front());
  }
  std::string text(std::size_t size) {
    const std::string part{bytes_.substr(0, size)};
    bytes_.remove_prefix(part.size());
    return part;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (const char c : text(8)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }

 private:
  std::string_view bytes_;
};

/// RFC 6763, 6: a line has at most 255 bytes and begins with a name in printable ASCII.
void try_own(taker& from) {
  mdns_identity who;
  who.node.value = from.number();
  who.incarnation = from.number();
  who.protocol = static_cast<std::uint32_t>(from.number());
  who.cluster.value = from.number();
  who.state = static_cast<raft::membership_state>(from.byte() % 3);
  for (const auto& line : txt_of(who)) {
    fuzz::check(line.size() <= 255, "a line of the TXT record is too long");
    const auto name = line.substr(0, line.find('='));
    fuzz::check(!name.empty() && name.size() < line.size(), "a line of the TXT record without a name");
    fuzz::check(std::all_of(line.begin(), line.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; }),
                "a line of the TXT record that is not printable");
  }
  const auto name = instance_of(who);
  fuzz::check(!name.empty() && name.size() <= 63, "an instance name that is not a DNS label");
}

void announce(mdns_view& view, taker& from) {
  mdns_key key{static_cast<int>(from.byte() % 4), static_cast<int>(from.byte() % 2), from.text(from.byte() % 8),
               "local"};
  switch (from.byte() % 4) {
  case 0:
    view.appeared(key);
    break;
  case 1:
    view.vanished(key);
    break;
  case 2:
    view.resolved(key,
                  mdns_address(from.text(from.byte() % 48), static_cast<std::uint16_t>(from.number()), key.interface));
    break;
  case 3:
    view.resolved(key, std::nullopt);
    break;
  }
}

} // namespace

void troupe::fuzz::try_input(std::string_view bytes) {
  taker from{bytes};
  try_own(from);
  mdns_view view;
  if (from.byte() % 2 == 0) view.listed_all();
  while (!from.empty()) announce(view, from);
  if (const auto addresses = view.addresses())
    for (const auto& address : *addresses) static_cast<void>(parse_host_port(address));
}

std::vector<std::string> troupe::fuzz::seeds() {
  std::string all(34, '\1');
  all[33] = '\0';
  const auto event = [](int interface, const std::string& name, char what, const std::string& rest = {}) {
    return std::string{static_cast<char>(interface), '\0', static_cast<char>(name.size())} + name + what + rest;
  };
  const auto resolved = [&](int interface, const std::string& name, const std::string& address) {
    return event(interface, name, '\2',
                 static_cast<char>(address.size()) + address + std::string("\0\0\0\0\0\0\x13\x88", 8));
  };
  return {all + event(2, "a", '\0') + resolved(2, "a", "192.168.0.7") + event(2, "b", '\0') +
              resolved(2, "b", "fe80::1"),
          all + event(2, "a", '\0') + resolved(2, "a", "fd00::1") + event(2, "a", '\1') + event(1, "c", '\3'), all};
}

std::vector<std::string> troupe::fuzz::words() {
  return {"fe80::", "169.254.1.1", "::1", "%2", "::ffff:10.0.0.1", "255.255.255.255"};
}
