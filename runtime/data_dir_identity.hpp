// Implements formation's identity_store with the node's data directory.
#pragma once

#include "actors/cluster/identity_store.hpp"
#include "runtime/storage/data_dir.hpp"

#include <cstdint>
#include <utility>

namespace troupe {

class data_dir_identity final : public identity_store {
 public:
  explicit data_dir_identity(data_dir& directory) : directory_(directory) {}

  raft::cluster_id cluster() const override { return directory_.cluster(); }
  std::optional<std::string> promise() const override { return directory_.promise(); }
  void set_promise(std::optional<std::string> promise) override { directory_.set_promise(std::move(promise)); }
  std::uint64_t restored() const override { return directory_.restored(); }
  void set_cluster(raft::cluster_id cluster, std::uint64_t restored) override {
    directory_.set_cluster(cluster, restored);
  }

 private:
  data_dir& directory_;
};

} // namespace troupe
