// Replaces runtime/storage/checksum.cpp in the targets of disk formats. Every checksum is valid, so that mutations
// reach the code behind the check. The unit tests check that a wrong checksum is noticed.
#include "runtime/storage/checksum.hpp"

namespace troupe {
namespace {

constexpr std::uint64_t always = 0x6368656b73756d21;

} // namespace

struct running_checksum::state {};
void running_checksum::release::operator()(state* of) const noexcept { delete of; }

running_checksum::running_checksum() : state_(new state) {}
void running_checksum::update(std::string_view) {}
std::uint64_t running_checksum::value() const { return always; }

std::uint64_t checksum(std::string_view, std::uint64_t) { return always; }

} // namespace troupe
