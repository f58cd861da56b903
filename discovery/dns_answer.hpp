// What a name server's reply says about peers. The bytes are not trusted.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A reply that is none, or that is cut short.
class bad_dns_answer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The record types of discovery, by their numbers.
enum class dns_type : std::uint16_t { a = 1, aaaa = 28, srv = 33 };

/// The peers in a whole DNS message, as host:port; `port` is that of A and AAAA records. Records of other types, and
/// ones that name nobody who could be dialed, are passed over. At most 1024. Throws `bad_dns_answer`.
std::vector<std::string> read_dns_answer(std::string_view message, dns_type type, std::uint16_t port);

} // namespace troupe
