// Fuzzes the identity file.
#include "raft/storage.hpp"
#include "runtime/storage/identity.hpp"
#include "tests/fuzz/target.hpp"

using namespace troupe;

void troupe::fuzz::try_input(std::string_view bytes) {
  try {
    const auto who = decode_identity(bytes, "identity");
    check(decode_identity(encode_identity(who), "identity") == who,
          "the encoding of an identity decodes as a different one");
  } catch (const raft::storage_error&) { // the error says what is wrong
  }
}

std::vector<std::string> troupe::fuzz::seeds() {
  identity fresh;
  fresh.id.value = 5;
  auto formed = fresh;
  formed.cluster.value = 6;
  formed.starts = 3;
  auto restored = formed;
  restored.restored = 7;
  auto promised = fresh;
  promised.promise = "promise";
  return {encode_identity(fresh), encode_identity(formed), encode_identity(restored), encode_identity(promised)};
}

std::vector<std::string> troupe::fuzz::words() {
  return {std::string("\1\0\0\0", 4), std::string("\2\0\0\0", 4), std::string("\7\0\0\0promise", 11),
          "\xff\xff\xff\xff"};
}
