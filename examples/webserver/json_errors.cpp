#include "examples/webserver/json_errors.hpp"

#include <nlohmann/json.hpp>

namespace troupe::webserver {

unsigned http_status(errc code) {
  switch (code) {
  case errc::unknown_service:
  case errc::unknown_type:
  case errc::undecodable:
  case errc::refused:
  case errc::too_large:
    return 400;
  case errc::overloaded:
    return 429;
  case errc::no_leader:
  case errc::not_leader:
  case errc::not_ready:
  case errc::stopping:
  case errc::deadline:
  case errc::disk_failed:
    return 503;
  case errc::disk_full:
  case errc::state_full:
    return 507;
  case errc::outcome_unknown:
    return 504;
  case errc::none: // not an error
    break;
  }
  return 500;
}

http::response error_response(const error_info& info) {
  using json = nlohmann::ordered_json;
  const auto leader = info.leader_id.empty() ? json{} : json{{"id", info.leader_id}, {"address", info.leader_address}};
  const json body = {{"error", to_string(info.code)},
                     {"outcome", to_string(outcome_of(info.code))},
                     {"retryable", retryable(info.code)},
                     {"leader", leader},
                     {"message", info.message}};
  return {http_status(info.code), "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

} // namespace troupe::webserver
