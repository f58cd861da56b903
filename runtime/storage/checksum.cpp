#include "runtime/storage/checksum.hpp"

#include <new>
#include <xxhash.h>

namespace troupe {

std::uint64_t checksum(std::string_view data, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

struct running_checksum::state {
  XXH3_state_t* of = XXH3_createState();
  state() {
    if (!of) throw std::bad_alloc{};
    XXH3_64bits_reset(of);
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() { XXH3_freeState(of); }
};

void running_checksum::release::operator()(state* of) const noexcept { delete of; }

running_checksum::running_checksum() : state_(new state) {}
void running_checksum::update(std::string_view data) { XXH3_64bits_update(state_->of, data.data(), data.size()); }
std::uint64_t running_checksum::value() const { return XXH3_64bits_digest(state_->of); }

} // namespace troupe
