// Extracts peers from a name server's reply. The bytes are not trusted.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A reply that is malformed or truncated.
class bad_dns_answer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The DNS record types that discovery uses, with their numbers.
enum class dns_type : std::uint16_t { a = 1, aaaa = 28, srv = 33 };

/// The peers in a complete DNS message, as host:port; `port` is that of A and AAAA records. Skips records of other
/// types and records whose address cannot be dialed. Returns at most 1024. Throws `bad_dns_answer`.
std::vector<std::string> read_dns_answer(std::string_view message, dns_type type, std::uint16_t port);

} // namespace troupe
