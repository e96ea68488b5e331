#include "ws/deflate_offer.h"

#include <algorithm>
#include <utility>

#include "ws/tokens.h"

namespace kilat::ws {
namespace {

// One parameter of one extension; the value without its quotes.
struct Parameter {
  std::string_view name;
  std::optional<std::string> value;
};

// Walks over: 1#( token *( ";" token [ "=" ( token / quoted-string ) ] ) ), with empty list elements allowed.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }

  void skip_blanks() {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
  }

  bool accept(char c) {
    skip_blanks();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    skip_blanks();
    return true;
  }

  // Empty when there is no token here.
  std::string_view token() {
    const auto end = std::ranges::find_if_not(text_, is_token_char);
    const std::string_view found(text_.begin(), end);
    text_.remove_prefix(found.size());
    return found;
  }

  // Token or quoted-string; what stands between the quotes must be a token as well (RFC 6455 section 9.1).
  std::optional<std::string> value() {
    if (text_.empty() || text_.front() != '"') {
      const std::string_view plain = token();
      return plain.empty() ? std::nullopt : std::optional<std::string>(plain);
    }
    std::string unquoted;
    for (text_.remove_prefix(1); !text_.empty(); text_.remove_prefix(1)) {
      if (text_.front() == '"') {
        text_.remove_prefix(1);
        return unquoted.empty() ? std::nullopt : std::optional<std::string>(std::move(unquoted));
      }
      if (text_.front() == '\\') text_.remove_prefix(1);
      if (text_.empty() || !is_token_char(text_.front())) return std::nullopt;
      unquoted.push_back(text_.front());
    }
    return std::nullopt;
  }

 private:
  std::string_view text_;
};

// "8" to "15" without leading zeros (RFC 7692 section 7.1.2); 0 for everything else.
uint8_t window_bits_of(std::string_view digits) {
  if (digits == "8" || digits == "9") return static_cast<uint8_t>(digits[0] - '0');
  if (digits.size() == 2 && digits[0] == '1' && digits[1] >= '0' && digits[1] <= '5') {
    return static_cast<uint8_t>(10 + digits[1] - '0');
  }
  return 0;
}

// What the client asked for.
struct Offer {
  bool acceptable = true;
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  uint8_t server_max_window_bits = 0;  // 0: not named
  uint8_t client_max_window_bits = 0;

  void apply(const Parameter& parameter) {
    if (equals_ignoring_case(parameter.name, "server_no_context_takeover")) {
      acceptable &= !parameter.value && !std::exchange(server_no_context_takeover, true);
    } else if (equals_ignoring_case(parameter.name, "client_no_context_takeover")) {
      acceptable &= !parameter.value && !std::exchange(client_no_context_takeover, true);
    } else if (equals_ignoring_case(parameter.name, "server_max_window_bits")) {
      const uint8_t bits = parameter.value ? window_bits_of(*parameter.value) : 0;
      acceptable &= bits != 0 && std::exchange(server_max_window_bits, bits) == 0;
    } else if (equals_ignoring_case(parameter.name, "client_max_window_bits")) {
      // Without a value it only says that the client understands the parameter in the answer.
      const uint8_t bits = parameter.value ? window_bits_of(*parameter.value) : kWindowBitsMax;
      acceptable &= bits != 0 && std::exchange(client_max_window_bits, bits) == 0;
    } else {
      acceptable = false;
    }
  }
};

// One element of the list. False when the grammar is broken.
bool read_offer(Cursor& cursor, Offer& offer) {
  const std::string_view name = cursor.token();
  if (name.empty()) return false;
  offer.acceptable = equals_ignoring_case(name, "permessage-deflate");
  while (cursor.accept(';')) {
    Parameter parameter{cursor.token(), std::nullopt};
    if (parameter.name.empty()) return false;
    if (cursor.accept('=')) {
      parameter.value = cursor.value();
      if (!parameter.value) return false;
    }
    offer.apply(parameter);
  }
  return true;
}

std::optional<DeflateParams> answer(const Offer& offer, const DeflateConfig& config) {
  if (!offer.acceptable) return std::nullopt;
  DeflateParams params;
  params.server_no_context_takeover = offer.server_no_context_takeover || !config.server_context_takeover;
  params.client_no_context_takeover = offer.client_no_context_takeover || !config.client_context_takeover;
  params.server_max_window_bits = config.server_max_window_bits;
  if (offer.server_max_window_bits != 0) {
    params.server_max_window_bits = std::min(offer.server_max_window_bits, config.server_max_window_bits);
  }
  const uint8_t least = std::max(config.server_min_window_bits, kDeflateWindowBitsMin);
  if (params.server_max_window_bits < least) return std::nullopt;
  // Only a client that named the parameter may be given it (RFC 7692 section 7.1.2.2).
  if (offer.client_max_window_bits != 0) {
    params.client_max_window_bits = std::min(offer.client_max_window_bits, config.client_max_window_bits);
  }
  return params;
}

std::string write_response(const DeflateParams& params, const Offer& offer) {
  std::string response = "permessage-deflate";
  if (params.server_no_context_takeover) response += "; server_no_context_takeover";
  if (params.client_no_context_takeover) response += "; client_no_context_takeover";
  // A bound that the client asked for is always confirmed; our own only where it says something.
  if (offer.server_max_window_bits != 0 || params.server_max_window_bits < kWindowBitsMax) {
    response += "; server_max_window_bits=" + std::to_string(params.server_max_window_bits);
  }
  if (params.client_max_window_bits < kWindowBitsMax) {
    response += "; client_max_window_bits=" + std::to_string(params.client_max_window_bits);
  }
  return response;
}

}  // namespace

std::optional<DeflateParams> negotiate_deflate(std::string_view offers, const DeflateConfig& config,
                                               std::string& response) {
  response.clear();
  std::optional<DeflateParams> chosen;
  std::string chosen_response;
  Cursor cursor(offers);
  cursor.skip_blanks();
  while (!cursor.at_end()) {
    if (cursor.accept(',')) continue;
    Offer offer;
    if (!read_offer(cursor, offer)) return std::nullopt;
    cursor.skip_blanks();
    if (!cursor.at_end() && !cursor.accept(',')) return std::nullopt;
    if (chosen) continue;
    chosen = answer(offer, config);
    if (chosen) chosen_response = write_response(*chosen, offer);
  }
  response = std::move(chosen_response);
  return chosen;
}

}  // namespace kilat::ws
