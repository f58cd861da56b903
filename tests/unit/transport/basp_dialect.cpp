#include "tests/unit/transport/basp_dialect.hpp"

#include "tests/unit/transport/basp8_frames.hpp"

#include <algorithm>
#include <iterator>

namespace troupe::net::testing {

// -- BASP 3 -----------------------------------------------------------------------------------------------------------

std::string basp_3_dialect::node(std::uint32_t process, char host) const { return basp::node(process, host); }

std::string basp_3_dialect::message(const std::vector<std::string>& types, std::string_view elements) const {
  std::string names = "@<>";
  for (const auto& type : types) names += '+' + type;
  return basp::message(names, elements);
}

std::string basp_3_dialect::error(std::uint8_t code, const std::vector<std::string>& context,
                                  std::size_t category) const {
  constexpr std::string_view categories[] = {"exit", "system", "troupe"};
  return basp::error(code, categories[category % std::size(categories)], {context.begin(), context.end()});
}

std::string basp_3_dialect::read_node(frame_rest& in) const {
  demand(in.integer(8) == basp::atom("default"));
  return basp::integer(basp::atom("default"), 8) + in.take(24);
}

std::string basp_3_dialect::read_error(frame_rest& in) const {
  const auto code = in.integer(1);
  const auto category = in.integer(8);
  demand(in.integer(2) == 0);
  const auto names = in.text();
  std::string expected = "@<>";
  std::string elements;
  while (expected.size() < names.size()) {
    expected += "+@str";
    elements += basp::text(in.text());
  }
  demand(names == expected);
  return basp::integer(code, 1) + basp::integer(category, 8) + basp::types(names) + elements;
}

std::vector<std::string> basp_3_dialect::read_types(frame_rest& in) const {
  demand(in.length() == 0); // stages
  demand(in.integer(2) == 0);
  const auto names = in.text();
  if (names == "@<>") return {};
  demand(names.starts_with("@<>+"));
  return {names.substr(4)};
}

// -- BASP 8 -----------------------------------------------------------------------------------------------------------

std::string basp_8_dialect::error_type() const { return basp::integer(ids_.error, 2); }

std::string basp_8_dialect::foreign_type() const { return basp::integer(0xfffe, 2); }

std::string basp_8_dialect::node(std::uint32_t process, char host) const { return basp8::node(process, host); }

std::string basp_8_dialect::message(const std::vector<std::string>& types, std::string_view elements) const {
  auto bytes = basp::length(types.size());
  for (const auto& type : types) bytes += type;
  return bytes + std::string{elements};
}

std::string basp_8_dialect::error(std::uint8_t code, const std::vector<std::string>& context,
                                  std::size_t category) const {
  if (code == 0) return basp::integer(0, 1);
  return basp8::error(code, ids_.error_categories.at(category % ids_.error_categories.size()),
                      {context.begin(), context.end()}, ids_.string);
}

std::string basp_8_dialect::read_node(frame_rest& in) const {
  demand(in.integer(1) == 1);
  return basp::integer(1, 1) + in.take(24);
}

std::string basp_8_dialect::read_error(frame_rest& in) const {
  const auto there_is_one = in.integer(1);
  if (there_is_one == 0) return basp::integer(0, 1);
  demand(there_is_one == 1);
  const auto code = in.integer(1);
  demand(code != 0);
  const auto category = in.integer(2);
  demand(std::count(ids_.error_categories.begin(), ids_.error_categories.end(), category) == 1);
  const auto count = in.length();
  demand(count <= 16);
  for (std::uint64_t i = 0; i < count; ++i) demand(in.integer(2) == ids_.string);
  std::vector<std::string> context;
  while (context.size() < count) context.push_back(in.text());
  return basp8::error(static_cast<std::uint8_t>(code), static_cast<std::uint16_t>(category),
                      {context.begin(), context.end()}, ids_.string);
}

std::vector<std::string> basp_8_dialect::read_types(frame_rest& in) const {
  std::vector<std::string> types;
  for (auto left = in.length(); left > 0; --left) types.push_back(in.take(2));
  return types;
}

} // namespace troupe::net::testing
