#include "examples/webserver/status_json.hpp"
#include "runtime/transport/transport_status.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace troupe;

TEST_CASE("the status shows the incidents of connections and the expiry of the certificate", "[status]") {
  net::transport_status transport;
  transport.open_connections = 5;
  transport.incidents[static_cast<std::size_t>(net::incident::violation)] = 7;
  transport.incidents[static_cast<std::size_t>(net::incident::cut_for_memory)] = 9;
  node_status now;
  now.network = to_network_status(transport);
  auto shown = nlohmann::json::parse(webserver::status_response(now).body).at("network");
  CHECK(shown["open_connections"] == 5);
  CHECK(shown["violation"] == 7);
  CHECK(shown["cut_for_memory"] == 9);
  CHECK(shown["accepted"] == 0);
  CHECK(shown.size() == 2 + net::incident_kinds); // each kind has a distinct name
  CHECK(shown["certificate_not_after"].is_null());
  now.network.certificate_end = std::chrono::system_clock::from_time_t(1'800'000'000);
  shown = nlohmann::json::parse(webserver::status_response(now).body).at("network");
  CHECK(shown["certificate_not_after"] == "2027-01-15T08:00:00Z");
}
