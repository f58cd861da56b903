#include "tests/fuzz/caf_reader.hpp"

#include "actors/caf_io.hpp"
#include "actors/protocol/interfaces.hpp"
#include "runtime/transport/caf_wire.hpp"
#include "tests/actor/wire_examples.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp/header.hpp>
#include <caf/message.hpp>
#include <stdexcept>
#include <troupe/config.hpp>

namespace troupe::net::testing {
namespace {

namespace basp = caf::io::basp;

caf::actor_system& a_system() {
  // Never destroyed: CAF's own globals are destroyed before this program's.
  static auto& system = *new caf::actor_system{*new config};
  return system;
}

#if TROUPE_CAF_1

template <class T> std::string load(caf::binary_deserializer& from, T& x) {
  return from.apply(x) ? "" : "CAF cannot read it: " + to_string(from.get_error());
}

std::string load_content(caf::binary_deserializer& from, caf::message& content) { return load(from, content); }

std::string written(const caf::message& content) {
  compat::io_buffer bytes;
  caf::binary_serializer to{a_system(), bytes};
  if (!to.apply(content)) throw std::runtime_error("CAF cannot write it: " + to_string(to.get_error()));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

#else

using stage_list = std::vector<caf::strong_actor_ptr>;

template <class T> std::string load(caf::binary_deserializer& from, T& x) {
  if (auto failed = from(x)) return "CAF cannot read it: " + to_string(failed);
  return {};
}

std::string load_content(caf::binary_deserializer& from, caf::message& content) {
  stage_list stages;
  if (auto failed = load(from, stages); !failed.empty()) return failed;
  if (!stages.empty()) return "there are stages";
  // Load the message by itself: in a longer list CAF ignores the outcome and uses an empty message.
  if (auto failed = content.load(from)) return "CAF cannot read it: " + to_string(failed);
  return {};
}

std::string written(const caf::message& content) {
  const stage_list no_stages;
  std::vector<char> bytes;
  caf::binary_serializer to{a_system(), bytes};
  if (auto failed = to(no_stages, content)) throw std::runtime_error("CAF cannot write it: " + to_string(failed));
  return {bytes.begin(), bytes.end()};
}

#endif

template <class... Ts> std::string read(caf::binary_deserializer& from, Ts&... parts) {
  std::string failed;
  if (!((failed = load(from, parts)).empty() && ...)) return failed;
  return from.remaining() == 0 ? "" : "CAF does not read all bytes";
}

std::string read_message(caf::binary_deserializer& from, std::string_view payload) {
  caf::message content;
  if (auto failed = load_content(from, content); !failed.empty()) return failed;
  if (from.remaining() != 0) return "CAF does not read all bytes";
  if (content.empty()) return {};
  if (content.size() != 1) return "there are several elements";
  // A non-error is always written in the same form, whatever its bytes were.
  if (content.match_element<caf::error>(0) && !content.get_as<caf::error>(0)) return {};
  return written(content) == payload ? "" : "CAF writes it differently";
}

} // namespace

std::string caf_problem(std::string_view frame) {
  caf::binary_deserializer from{a_system(), frame.data(), frame.size()};
  basp::header head;
  if (auto failed = load(from, head); !failed.empty()) return "the header: " + failed;
  if (!basp::valid(head)) return "CAF considers the header invalid";
  if (head.payload_len != from.remaining()) return "the header has a different size";
  if (head.operation != basp::message_type::heartbeat && head.payload_len == 0) return "CAF crashes without a payload";
  caf::node_id source;
  caf::node_id target;
  switch (head.operation) {
  case basp::message_type::server_handshake: {
    std::vector<std::string> applications;
    caf::actor_id published = 0;
    std::set<std::string> signatures;
    return read(from, source, applications, published, signatures);
  }
  case basp::message_type::client_handshake:
    return read(from, source);
  case basp::message_type::direct_message:
    return read_message(from, frame.substr(basp::header_size));
  case basp::message_type::monitor_message:
    return read(from, source, target);
  case basp::message_type::down_message: {
    caf::error why;
    return read(from, source, target, why);
  }
  case basp::message_type::heartbeat:
    return {};
  case basp::message_type::routed_message:
    break;
  }
  return "no node sends this";
}

std::string own_node_id() { return compat::encoded(a_system(), a_system().node()); }

guard_options caf_options(std::string self) {
  return {.format = caf_format(), .types = caf_message_types(), .self = std::move(self)};
}

std::vector<std::string> sent_payloads() {
  std::vector<std::string> all;
  const auto add = [&](auto message) { all.push_back(written(caf::make_message(std::move(message)))); };
  troupe::test::for_each_wire_example(add);
  add(caf::make_error(caf::sec::runtime_error, std::string{"why"}, std::string{"where"}));
  all.push_back(written(caf::message{}));
  return all;
}

} // namespace troupe::net::testing
