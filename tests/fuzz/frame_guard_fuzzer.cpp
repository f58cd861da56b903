// Whatever bytes arrive and however they are split, the guarded channel returns only whole frames, each of which a
// simple reader accepts and CAF's own deserializer reads to its end. Built with libFuzzer; tools/fuzz runs it.
#include "runtime/transport/guarded_channel.hpp"
#include "tests/actor/caf_dialect.hpp"
#include "tests/fuzz/caf_reader.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/dumb_reader.hpp"
#include "tests/unit/transport/scripted_channel.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace troupe::net;
using namespace troupe::net::testing;

namespace {

[[noreturn]] void found(const std::string& what) {
  std::fprintf(stderr, "frame_guard_fuzzer: %s\n", what.c_str());
  std::abort();
}

std::shared_ptr<const guard_options> options() {
  static const auto all = std::make_shared<const guard_options>(caf_options(caf_dialect().node(100, 'a')));
  return all;
}

struct watcher : channel_watcher {
  ~watcher() override {
    if (taken != 0) found("memory that was taken is not given back");
  }
  void heard() override {}
  void introduced() override {
    if (std::exchange(known, true)) found("two introductions in one stream");
  }
  void dropped() override {}
  bool takes(std::ptrdiff_t bytes) override {
    taken += bytes;
    if (taken < 0) found("more is given back than was taken");
    return true;
  }
  claim_outcome claim_node(std::string_view) override { return claim_outcome::granted; }
  void held_back() override {}
  void violated(incident, const std::string& problem) override {
    if (problem.empty()) found("a violation without a reason");
    if (std::exchange(broken, true)) found("two violations in one stream");
  }
  bool broken = false;
  bool known = false;
  std::ptrdiff_t taken = 0;
};

/// Repeats the chunk sizes.
class splitter {
 public:
  explicit splitter(const fuzz_input& input) : sizes_(input.splits) {}
  std::size_t next() { return sizes_.empty() ? 4096 : sizes_[at_++ % sizes_.size()]; }

 private:
  const std::vector<std::uint8_t>& sizes_;
  std::size_t at_ = 0;
};

std::deque<scripted> script_of(const fuzz_input& input) {
  std::deque<scripted> steps;
  splitter splits{input};
  for (std::size_t at = 0; at < input.bytes.size();) {
    const auto size = splits.next();
    steps.push_back({input.bytes.substr(at, size)});
    at += steps.back().bytes.size();
    // After a step without bytes, add some, so that the script always ends.
    if (size == 0) {
      steps.push_back({input.bytes.substr(at, 7)});
      at += steps.back().bytes.size();
    }
  }
  return steps;
}

std::string passed(const fuzz_input& input) {
  auto raw = std::make_unique<scripted_channel>(script_of(input));
  const auto& script = *raw;
  const auto watch = std::make_shared<watcher>();
  guarded_channel stream{std::move(raw), input.here, options(), watch};
  splitter splits{input};
  std::string out;
  std::string block;
  while (true) {
    block.assign(std::max<std::size_t>(splits.next(), 1), '\0');
    const auto got = stream.read(block.data(), block.size());
    if (got.state == flow::closed) break;
    if ((got.state == flow::moved) != (got.bytes > 0) || got.bytes > block.size())
      found("an inconsistent result of a read");
    if (got.state == flow::again && script.holds_bytes())
      found("the raw channel still holds bytes that holds_bytes does not report");
    out.append(block.data(), got.bytes);
  }
  if (!watch->broken && !script.finished()) found("the stream ends early");
  return out;
}

/// Size of the frame that begins here, according to its header.
std::size_t size_of(std::string_view frame) {
  std::size_t payload = 0;
  for (const char c : frame.substr(4, 4)) payload = payload * 256 + static_cast<unsigned char>(c);
  return basp::header_size + payload;
}

void check(side here, std::string_view stream) {
  dumb_reader reader{here, caf_dialect(), *options()};
  while (!stream.empty()) {
    if (stream.size() < basp::header_size) found("part of a header passed");
    const auto size = size_of(stream);
    if (stream.size() < size) found("part of a frame passed");
    const auto frame = stream.substr(0, size);
    if (!reader.accepts(frame)) found("a frame passed that the simple reader refuses");
    if (const auto problem = caf_problem(frame); !problem.empty()) found(problem);
    stream.remove_prefix(size);
  }
}

} // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// In half of the cases changes the payload of one frame and sets the new length in its header. Otherwise hardly any
/// mutation would pass the header check.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  auto input = decode({reinterpret_cast<const char*>(data), size});
  std::vector<std::size_t> begins;
  for (std::size_t at = 0; at + basp::header_size <= input.bytes.size(); at += size_of(input.bytes.substr(at)))
    begins.push_back(at);
  if (begins.empty()) return LLVMFuzzerMutate(data, size, max_size);
  const auto begin = begins[seed / 2 % begins.size()];
  const auto end = std::min(begin + size_of(input.bytes.substr(begin)), input.bytes.size());
  auto payload = input.bytes.substr(begin + basp::header_size, end - begin - basp::header_size);
  const auto had = payload.size();
  payload.resize(had + max_size - std::min(size, max_size));
  if (payload.empty()) payload.resize(1);
  payload.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(payload.data()), had, payload.size()));
  input.bytes.replace(begin + 4, 4, basp::integer(payload.size(), 4));
  input.bytes.replace(begin + basp::header_size, had, payload);
  const auto changed = encode(input);
  const auto kept = std::min(changed.size(), max_size);
  std::copy_n(changed.begin(), kept, reinterpret_cast<char*>(data));
  return kept;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = decode({reinterpret_cast<const char*>(data), size});
  check(input.here, passed(input));
  return 0;
}
