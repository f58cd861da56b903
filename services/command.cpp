#include "services/command.hpp"

#include "raft/base/codec.hpp"

#include <stdexcept>
#include <troupe/printable.hpp>
#include <troupe/service.hpp>

namespace troupe::services {

std::string encode_command(std::string_view service, std::string_view tag, std::string_view payload) {
  if (!detail::is_valid_name(service)) throw std::length_error("a service's name is 1 to 255 bytes long");
  if (!detail::is_valid_name(tag)) throw std::length_error("a message's tag is 1 to 255 bytes long");
  std::string out;
  out.reserve(3 + service.size() + tag.size() + payload.size());
  raft::writer to(out);
  to.put(std::uint8_t{command_format});
  to.put(static_cast<std::uint8_t>(service.size()));
  to.put_raw(service);
  to.put(static_cast<std::uint8_t>(tag.size()));
  to.put_raw(tag);
  to.put_raw(payload);
  return out;
}

std::optional<command_view> decode_command(std::string_view data) noexcept {
  raft::reader from(data);
  if (from.get<std::uint8_t>() != command_format) return std::nullopt;
  command_view view;
  view.service = from.get_raw(from.get<std::uint8_t>());
  view.tag = from.get_raw(from.get<std::uint8_t>());
  if (!from.ok() || view.service.empty() || view.tag.empty()) return std::nullopt;
  view.payload = from.get_raw(from.left());
  return view;
}

std::string encode_adds_query(const command_view& command) {
  return encode_command(command.service, adds_query, encode_command(command.service, command.tag, command.payload));
}

bool is_for_cluster(std::string_view data) noexcept {
  const auto parts = decode_command(data);
  return parts && parts->service == cluster_service;
}

std::string why_no_command(std::string_view data) {
  if (data.empty()) return "the command is empty";
  const auto format = static_cast<unsigned char>(data.front());
  if (format != command_format) return "the command is of unknown format " + std::to_string(format);
  return "the command ends within its service name or tag, or lacks one";
}

std::string why_no_service(std::string_view name) { return "there is no service " + printable(name); }

} // namespace troupe::services
