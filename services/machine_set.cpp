#include "services/machine_set.hpp"

#include <troupe/printable.hpp>

namespace troupe {

machine_set make_machines(const std::vector<machine_factory>& services) {
  machine_set made;
  for (const auto& make : services) {
    auto machine = make();
    std::string name{machine->name()};
    made.emplace(std::move(name), std::move(machine));
  }
  return made;
}

machine_set load_machines(snapshot_files& files, const raft::snapshot_id& id,
                          const std::vector<machine_factory>& services, raft::snapshot_point& at) {
  return load_machines([&](const snapshot_section& each) { return files.load(id, each); }, services, at);
}

machine_set load_machines(const snapshot_reading& read, const std::vector<machine_factory>& services,
                          raft::snapshot_point& at) {
  auto made = make_machines(services);
  at = read([&](std::string_view service, detail::snapshot_source& from) {
    const auto machine = made.find(service);
    // Without this check, the service's state would be lost permanently.
    if (machine == made.end())
      throw not_loadable("the snapshot holds the service " + printable(service) + ", which this program does not run");
    try {
      machine->second->load(from);
    } catch (const raft::storage_error&) {
      throw;
    } catch (const std::exception& e) {
      throw not_loadable("the service " + printable(service) + " cannot load its state from the snapshot: " + e.what());
    }
  });
  return made;
}

} // namespace troupe
