// Maps that share their nodes on several threads. Most useful under ThreadSanitizer, for which it compiles alone:
//
//   g++ -std=c++20 -g -O1 -fsanitize=thread -I. tests/catch_main.cpp tests/unit/services/cow_map_threads_test.cpp
#include <troupe/cow_map.hpp>

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace troupe;

namespace {

using tested = cow_map<std::string, std::string>;

/// The sum of the map's values, which are decimal numbers.
long total(const tested& map) {
  long sum = 0;
  for (const auto& [key, value] : map) sum += std::stol(value);
  return sum;
}

} // namespace

TEST_CASE("a cow_map can change while other threads read, change and drop copies of it") {
  constexpr int keys = 2000, rounds = 60;
  tested map;
  for (int i = 0; i < keys; ++i) map.insert_or_assign("some key of more than 15 bytes " + std::to_string(i), "0");
  std::atomic<int> wrong = 0;
  long sum = 0;
  std::vector<std::thread> readers;
  for (int round = 0; round < rounds; ++round) {
    readers.emplace_back([copy = map, expected = sum, &wrong, round]() mutable {
      if (total(copy) != expected) ++wrong;
      const auto before = copy;
      copy.insert_or_assign("", "5");
      for (int i = round; i < keys; i += 50) copy.erase("some key of more than 15 bytes " + std::to_string(i));
      if (total(before) != expected) ++wrong;
    });
    // No wait between rounds: copies are destroyed while their original is being changed.
    for (int i = 0; i < 300; ++i) {
      auto& value = map["some key of more than 15 bytes " + std::to_string((round * 37 + i * 11) % keys)];
      value = std::to_string(std::stol(value) + 1);
      ++sum;
    }
    if (readers.size() < 4) continue;
    for (auto& reader : readers) reader.join();
    readers.clear();
  }
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(total(map) == sum);
}
