#include <troupe/http/message.hpp>

#include "runtime/http/head.hpp"
#include "runtime/http/mailbox.hpp"

#include <nlohmann/json.hpp>

namespace troupe::http {

std::optional<std::string_view> request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

std::optional<std::string_view> request::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (same_text(key, name)) return value;
  return std::nullopt;
}

response error_response(unsigned status, std::string_view code, std::string_view message, std::string_view outcome,
                        bool retryable) {
  const nlohmann::ordered_json body = {{"error", code},
                                       {"outcome", outcome},
                                       {"retryable", retryable},
                                       {"leader", nullptr},
                                       {"message", message.substr(0, max_error_text)}};
  return {status, "application/json", body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

responder::responder(std::shared_ptr<mailbox> answers, std::uint64_t connection)
    : responder(std::move(answers), connection, charge(), false) {}

responder::responder(std::shared_ptr<mailbox> answers, std::uint64_t connection, charge request, bool safe)
    : promise_(std::make_shared<promise>(
          std::move(answers), connection, std::move(request),
          []() -> answer_content { return error_response(500, "no_answer", "the request was dropped", "unknown"); },
          safe ? promise::make_content{[]() -> answer_content {
            return error_response(503, "overloaded", "not enough buffer memory for the answer", "rejected", true);
          }}
               : promise::make_content{[]() -> answer_content {
                   return error_response(503, "overloaded", "not enough buffer memory for the answer", "unknown", true);
                 }})) {}

void responder::send(response answer) const { promise_->keep(std::move(answer)); }

piece_receiver::piece_receiver(std::shared_ptr<mailbox> answers, std::uint64_t connection)
    : promise_(std::make_shared<promise>(
          std::move(answers), connection, charge(), []() -> answer_content { return piece{}; },
          []() -> answer_content { return piece{}; })) {}

void piece_receiver::send(std::string bytes) const { promise_->keep(piece{std::move(bytes)}); }

void piece_receiver::fail() const { promise_->keep(piece{}); }

} // namespace troupe::http
