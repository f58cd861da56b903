#include "services/registry.hpp"

#include "services/command.hpp"

#include <stdexcept>

namespace troupe::services {

reply not_an_envelope(std::string_view data) {
  if (data.empty()) return {reply_status::undecodable, "the command is empty"};
  const auto format = static_cast<unsigned char>(data.front());
  if (format != command_format)
    return {reply_status::undecodable, "the command is of unknown format " + std::to_string(format)};
  return {reply_status::undecodable, "the command ends within its service name or tag, or lacks one"};
}

reply no_such_service(std::string_view name) {
  return {reply_status::unknown_service, "there is no service " + printable(name)};
}

void registry::add(std::unique_ptr<machine> service) {
  std::string name(service->name());
  if (!is_valid_name(name)) throw std::invalid_argument("a service's name is 1 to 255 bytes long");
  if (!machines_.try_emplace(name, std::move(service)).second)
    throw std::invalid_argument("there are two services of the name " + printable(name));
}

machine* registry::find(std::string_view name) const noexcept {
  const auto found = machines_.find(name);
  return found == machines_.end() ? nullptr : found->second.get();
}

std::vector<std::string_view> registry::names() const {
  std::vector<std::string_view> all;
  for (const auto& [name, service] : machines_) all.push_back(name);
  return all;
}

reply registry::apply(std::string_view envelope, const apply_context& context) {
  const auto command = decode_command(envelope);
  if (!command) return not_an_envelope(envelope);
  auto* service = find(command->service);
  return service ? service->apply(command->tag, command->payload, context) : no_such_service(command->service);
}

reply registry::query(std::string_view envelope) const {
  const auto question = decode_command(envelope);
  if (!question) return not_an_envelope(envelope);
  const auto* service = find(question->service);
  return service ? service->query(question->tag, question->payload) : no_such_service(question->service);
}

} // namespace troupe::services
