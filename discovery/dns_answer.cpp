#include "discovery/dns_answer.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <troupe/address.hpp>

namespace troupe {
namespace {

constexpr std::size_t max_peers = 1024;

/// Empty for the unspecified address, which cannot be dialed.
std::string address_text(int family, const unsigned char* bytes, std::size_t size) {
  if (std::all_of(bytes, bytes + size, [](unsigned char b) { return b == 0; })) return {};
  char text[INET6_ADDRSTRLEN] = {};
  return ::inet_ntop(family, bytes, text, sizeof text) ? text : "";
}

/// An SRV record has priority, weight, port and a host name, which may be compressed. Empty for "no such service".
std::string srv_text(const ns_msg& message, const ns_rr& record) {
  constexpr std::size_t fixed = 6;
  if (ns_rr_rdlen(record) <= fixed) throw bad_dns_answer("an SRV record is truncated");
  char target[NS_MAXDNAME];
  const auto* name = ns_rr_rdata(record) + fixed;
  const int used = ::ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), name, target, sizeof target);
  if (used < 0 || static_cast<std::size_t>(used) + fixed != ns_rr_rdlen(record))
    throw bad_dns_answer("an SRV record has an invalid name");
  const auto port = static_cast<std::uint16_t>(ns_rr_rdata(record)[4] << 8 | ns_rr_rdata(record)[5]);
  if (port == 0 || target[0] == '\0' || std::string_view{target} == ".") return {};
  try {
    return to_string(parse_host_port(std::string{target} + ":" + std::to_string(port)));
  } catch (const bad_address&) {
    return {};
  }
}

std::string peer_of(const ns_msg& message, const ns_rr& record, dns_type type, std::uint16_t port) {
  if (type == dns_type::srv) return srv_text(message, record);
  const int family = type == dns_type::a ? AF_INET : AF_INET6;
  const std::size_t size = type == dns_type::a ? sizeof(in_addr) : sizeof(in6_addr);
  if (ns_rr_rdlen(record) != size) throw bad_dns_answer("an address record has the wrong size");
  const auto host = address_text(family, ns_rr_rdata(record), size);
  return host.empty() ? std::string{} : to_string(host_port{host, port});
}

} // namespace

std::vector<std::string> read_dns_answer(std::string_view message, dns_type type, std::uint16_t port) {
  ns_msg parsed{};
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (message.size() > NS_MAXMSG || ::ns_initparse(bytes, static_cast<int>(message.size()), &parsed) != 0)
    throw bad_dns_answer("not a DNS message");
  if (ns_msg_getflag(parsed, ns_f_tc) != 0) throw bad_dns_answer("the reply is truncated");
  std::vector<std::string> peers;
  for (int i = 0; i < ns_msg_count(parsed, ns_s_an) && peers.size() < max_peers; ++i) {
    ns_rr record{};
    if (::ns_parserr(&parsed, ns_s_an, i, &record) != 0) throw bad_dns_answer("a record is invalid");
    if (ns_rr_class(record) != ns_c_in || ns_rr_type(record) != static_cast<std::uint16_t>(type)) continue;
    if (auto peer = peer_of(parsed, record, type, port); !peer.empty()) peers.push_back(std::move(peer));
  }
  return peers;
}

} // namespace troupe
