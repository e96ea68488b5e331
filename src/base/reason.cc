#include "base/reason.h"

#include <array>
#include <cstddef>

namespace kilat {
namespace {

using R = Reason;
constexpr int kNull = kNullPusherCode;
constexpr Return kStays = Return::kNotClosed;
constexpr Return kNever = Return::kNever;
constexpr Return kBackoff = Return::kAfterBackoff;
constexpr Return kAtOnce = Return::kAtOnce;
constexpr Return kClient = Return::kUpToClient;

// Close codes and what pusher-js makes of them: below 4000 retry after 1 s, 4000-4099 never, 4100-4199 back off,
// 4200-4299 at once. 43xx stands inside `pusher:error` only, because a close with it would stop the client for good.
constexpr std::array kTable = std::to_array<ReasonRow>({
    {R::kNone, "none", "", 0, 0, 0, kStays, ""},
    {R::kClientClosed, "client_closed", "closed by the client", 0, 1000, 0, kClient, "nothing to do"},
    {R::kClientGone, "client_gone", "the client's connection ended without a close frame", 0, 0, 0, kClient,
     "normal for closed tabs and lost networks; many at once point to a proxy's idle timeout"},
    {R::kInternal, "internal", "internal error", kNull, 1011, 500, kBackoff,
     "a fault of the server: please report it with the log"},

    {R::kHttpMalformed, "http_malformed", "malformed HTTP request", 0, 0, 400, kClient,
     "check that the client speaks HTTP/1.1 and that no TLS client talks to the plain port"},
    {R::kHttpHeaderTooLarge, "http_header_too_large", "request header too large", 0, 0, 431, kClient,
     "raise http.header_bytes_max, or send fewer cookies"},
    {R::kHttpBodyTooLarge, "http_body_too_large", "request body too large", 0, 0, 413, kClient,
     "raise http.body_bytes_max, or split the batch"},
    {R::kHttpTimeout, "http_timeout", "request not complete in time", 0, 0, 408, kClient,
     "raise http.request_timeout_ms for slow networks"},
    {R::kHttpIdle, "http_idle", "keep-alive connection idle for too long", 0, 0, 0, kClient,
     "nothing to do; http.keep_alive_timeout_ms decides when"},
    {R::kHttpNotFound, "http_not_found", "not found", 0, 0, 404, kClient, "check the path and its prefix"},
    {R::kHttpMethodNotAllowed, "http_method_not_allowed", "method not allowed", 0, 0, 405, kClient,
     "see the Allow header of the answer"},
    {R::kHttpVersionUnsupported, "http_version_unsupported", "HTTP version not supported", 0, 0, 505, kClient,
     "use HTTP/1.1"},
    {R::kHttpDone, "http_done", "answered and closed as asked", 0, 0, 0, kClient, "nothing to do"},

    {R::kWsUpgradeRequired, "ws_upgrade_required", "WebSocket upgrade required", 0, 0, 426, kClient,
     "let the proxy pass the Upgrade and Connection headers"},
    {R::kWsVersionUnsupported, "ws_version_unsupported", "WebSocket version not supported, use 13", 0, 0, 426, kClient,
     "update the client"},
    {R::kWsKeyInvalid, "ws_key_invalid", "Sec-WebSocket-Key must be 16 bytes in base64", 0, 0, 400, kClient,
     "update the client"},
    {R::kWsHandshakeTimeout, "ws_handshake_timeout", "no complete request in time", 0, 0, 408, kClient,
     "raise http.handshake_timeout_ms for slow networks"},

    {R::kWsUnmasked, "ws_unmasked", "client frames must be masked", 0, 1002, 0, kBackoff, "mend the client"},
    {R::kWsReservedBits, "ws_reserved_bits", "reserved bit set without an extension", 0, 1002, 0, kBackoff,
     "mend the client"},
    {R::kWsReservedOpcode, "ws_reserved_opcode", "reserved opcode", 0, 1002, 0, kBackoff, "mend the client"},
    {R::kWsControlFragmented, "ws_control_fragmented", "control frame in fragments", 0, 1002, 0, kBackoff,
     "mend the client"},
    {R::kWsControlTooLong, "ws_control_too_long", "control frame over 125 bytes", 0, 1002, 0, kBackoff,
     "mend the client"},
    {R::kWsLengthNotMinimal, "ws_length_not_minimal", "length not in its shortest form", 0, 1002, 0, kBackoff,
     "mend the client"},
    {R::kWsLengthInvalid, "ws_length_invalid", "length over 63 bits", 0, 1002, 0, kBackoff, "mend the client"},
    {R::kWsUnexpectedContinuation, "ws_unexpected_continuation", "continuation without a message", 0, 1002, 0, kBackoff,
     "mend the client"},
    {R::kWsExpectedContinuation, "ws_expected_continuation", "new message inside a fragmented one", 0, 1002, 0,
     kBackoff, "mend the client"},
    {R::kWsClosePayloadInvalid, "ws_close_payload_invalid", "close frame with one byte", 0, 1002, 0, kBackoff,
     "mend the client"},
    {R::kWsCloseCodeInvalid, "ws_close_code_invalid", "close code not allowed on the wire", 0, 1002, 0, kBackoff,
     "mend the client"},
    {R::kWsInvalidUtf8, "ws_invalid_utf8", "text is not valid UTF-8", 0, 1007, 0, kBackoff, "mend the client"},
    {R::kWsMessageTooBig, "ws_message_too_big", "message over the size limit", 4301, 1009, 0, kBackoff,
     "raise limits.message_bytes_max, or send less"},
    {R::kWsDeflateInvalid, "ws_deflate_invalid", "compressed message cannot be inflated", 0, 1007, 0, kBackoff,
     "mend the client or turn compression off"},
    {R::kWsInflatedTooBig, "ws_inflated_too_big", "inflated message over the size limit", 4301, 1009, 0, kBackoff,
     "raise limits.message_bytes_max, or send less"},

    {R::kTlsRequired, "tls_required", "this app accepts TLS only", 4000, 4000, 0, kAtOnce, "connect with wss"},
    {R::kAppUnknown, "app_unknown", "App key does not exist", 4001, 4001, 0, kNever,
     "compare the client's key with the configuration"},
    {R::kAppDisabled, "app_disabled", "App is disabled", 4003, 4003, 0, kNever, "set app.enabled = true"},
    {R::kAppOverQuota, "app_over_quota", "App is over its connection quota", 4004, 4004, 0, kNever,
     "raise app.max_connections, or set app.over_quota_code = 4100 to let clients retry"},
    {R::kAppOverQuotaRetry, "app_over_quota_retry", "App is over its connection quota, try again later", 4100, 4100, 0,
     kBackoff, "raise app.max_connections"},
    {R::kServerOverCapacity, "server_over_capacity", "Server is over capacity", 4100, 4100, 503, kBackoff,
     "raise server.max_connections, or add a node"},
    {R::kProtocolMalformed, "protocol_malformed", "Protocol version is not a number", 4006, 4006, 0, kNever,
     "mend the client"},
    {R::kProtocolUnsupported, "protocol_unsupported", "Protocol version not supported, use 7", 4007, 4007, 0, kNever,
     "update the client"},
    {R::kProtocolMissing, "protocol_missing", "No protocol version given", 4008, 4008, 0, kNever,
     "add ?protocol=7, or set server.strict_protocol = false"},
    {R::kOriginRefused, "origin_refused", "Origin not allowed", 4009, 4009, 403, kNever,
     "add the page's host to app.allowed_origins"},
    {R::kAuthTimeout, "auth_timeout", "Connection not authorized within timeout", 4009, 4009, 0, kNever,
     "sign in or join a private channel in time, or raise app.auth_timeout_ms"},
    {R::kTerminatedByApi, "terminated_by_api", "You got disconnected by the app", 4009, 4009, 0, kNever,
     "the backend asked for it"},
    {R::kForcedReconnect, "forced_reconnect", "Please reconnect", 4200, 4200, 0, kAtOnce, "the backend asked for it"},
    {R::kServerDraining, "server_draining", "Server is shutting down", 4200, 4200, 503, kAtOnce,
     "the client comes back by itself"},
    {R::kPongTimeout, "pong_timeout", "Pong reply not received in time", 4201, 4201, 0, kAtOnce,
     "normal for lost networks; raise app.pong_timeout_ms if proxies are slow"},
    {R::kTooManyMalformed, "too_many_malformed", "Too many malformed messages", 4100, 4100, 0, kBackoff,
     "mend the client; limits.malformed_per_minute decides when"},
    {R::kSlowConsumer, "slow_consumer", "Too far behind: the outbox is full", 4100, 4100, 0, kBackoff,
     "send the client less, or raise limits.outbox_bytes_max"},
    {R::kSlowConsumerSoft, "slow_consumer_soft", "Behind for too long", 4100, 4100, 0, kBackoff,
     "send the client less, or raise limits.outbox_soft_bytes"},
    {R::kMemoryBudget, "memory_budget", "Closed to free memory", 4100, 4100, 503, kBackoff,
     "raise limits.shard_budget_bytes, or add memory"},

    {R::kMessageMalformed, "message_malformed", "Invalid message format", 4200, 0, 0, kStays, "mend the client"},
    {R::kEventUnsupported, "event_unsupported", "Unsupported event received on socket", kNull, 0, 0, kStays,
     "clients may send pusher: events and client- events only"},
    {R::kChannelNameInvalid, "channel_name_invalid", "Invalid channel name", 4009, 0, 400, kStays,
     "use letters, digits and -_=@,.; or set server.strict_channel_names = false"},
    {R::kChannelNameTooLong, "channel_name_too_long", "Channel name too long", 4009, 0, 400, kStays,
     "shorten it, or raise app.channel_name_max"},
    {R::kChannelAuthInvalid, "channel_auth_invalid", "Invalid signature", 4009, 0, 0, kStays,
     "sign socket_id:channel[:channel_data] with the secret of this app"},
    {R::kChannelAuthKeyInvalid, "channel_auth_key_invalid", "Invalid key in subscription auth data", 4009, 0, 0, kStays,
     "the auth endpoint signs for another app"},
    {R::kPresenceDataInvalid, "presence_data_invalid", "Invalid channel_data", 4009, 0, 0, kStays,
     "channel_data must be a JSON object with a non-empty user_id and an object user_info"},
    {R::kPresenceMemberTooBig, "presence_member_too_big", "user_info over the size limit", 4301, 0, 0, kStays,
     "send less, or raise app.presence_member_bytes_max"},
    {R::kPresenceChannelFull, "presence_channel_full", "Presence channel is full", 4100, 0, 0, kStays,
     "raise app.presence_members_max"},
    {R::kTooManySubscriptions, "too_many_subscriptions", "Too many channels on this connection", 4100, 0, 0, kStays,
     "raise app.subscriptions_max"},
    {R::kUserChannelRefused, "user_channel_refused", "Only the signed-in user may subscribe to this channel", 4009, 0,
     0, kStays, "sign in first; the name must end with the user's own id"},
    {R::kSigninInvalid, "signin_invalid", "Invalid sign-in", 4009, 4009, 0, kNever,
     "sign socket_id::user::user_data; user_data needs a non-empty string id"},
    {R::kSigninOtherUser, "signin_other_user", "Connection is signed in as another user", 4009, 4009, 0, kNever,
     "open a new connection for the other user"},
    {R::kSigninDisabled, "signin_disabled", "User authentication is not enabled for this app", 4009, 0, 0, kStays,
     "set app.user_authentication = true"},
    {R::kWatchlistTooLong, "watchlist_too_long", "Watchlist over the limit, the rest is ignored", 4302, 0, 0, kStays,
     "send fewer ids, or raise app.watchlist_max"},
    {R::kClientEventsDisabled, "client_events_disabled", "The app does not have client messaging enabled.", 4301, 0, 0,
     kStays, "set app.client_events = true"},
    {R::kClientEventChannelRefused, "client_event_channel_refused",
     "Client events are for private and presence channels", 4301, 0, 0, kStays,
     "use a private channel, or set app.client_events_on_public = true"},
    {R::kClientEventNotSubscribed, "client_event_not_subscribed", "Not subscribed to the channel of the client event",
     kNull, 0, 0, kStays, "subscribe first"},
    {R::kClientEventNameTooLong, "client_event_name_too_long", "Event name too long", 4301, 0, 0, kStays,
     "shorten it, or raise app.event_name_max"},
    {R::kClientEventTooBig, "client_event_too_big", "Client event data over the size limit", 4301, 0, 0, kStays,
     "send less, or raise app.event_bytes_max"},
    {R::kClientEventRateLimited, "client_event_rate_limited", "Client event rate limit exceeded", 4301, 0, 0, kStays,
     "send fewer, or raise app.client_events_per_second"},
    {R::kClientEventOverCapacity, "client_event_over_capacity", "Over capacity, the event was not relayed", 4301, 0, 0,
     kStays, "send fewer, or add shards"},

    {R::kApiAppUnknown, "api_app_unknown", "The app could not be found", 0, 0, 404, kClient,
     "compare the app id in the path with the configuration"},
    {R::kApiAppDisabled, "api_app_disabled", "The app is disabled", 0, 0, 403, kClient, "set app.enabled = true"},
    {R::kApiKeyInvalid, "api_key_invalid", "auth_key is not a key of this app", 0, 0, 401, kClient,
     "compare the key with the configuration"},
    {R::kApiVersionInvalid, "api_version_invalid", "auth_version must be 1.0", 0, 0, 401, kClient, "update the SDK"},
    {R::kApiTimestampInvalid, "api_timestamp_invalid", "auth_timestamp must be unix seconds", 0, 0, 401, kClient,
     "update the SDK"},
    {R::kApiTimestampExpired, "api_timestamp_expired", "auth_timestamp expired: not within 600 s of the server time", 0,
     0, 401, kClient, "set the clock of the sender (NTP)"},
    {R::kApiBodyMd5Invalid, "api_body_md5_invalid", "body_md5 does not match the body", 0, 0, 401, kClient,
     "a proxy changed the body, or the SDK did not sign it"},
    {R::kApiSignatureInvalid, "api_signature_invalid", "Invalid signature", 0, 0, 401, kClient,
     "compare the secret with the configuration"},
    {R::kApiBodyInvalid, "api_body_invalid", "The body is not what this call expects", 0, 0, 400, kClient,
     "see docs/http-api.md"},
    {R::kApiParameterInvalid, "api_parameter_invalid", "Invalid parameter", 0, 0, 400, kClient, "see docs/http-api.md"},
    {R::kApiEventNameInvalid, "api_event_name_invalid", "Event name missing or too long", 0, 0, 400, kClient,
     "shorten it, or raise app.event_name_max"},
    {R::kApiChannelInvalid, "api_channel_invalid", "Channel missing, too long or with characters that are not allowed",
     0, 0, 400, kClient, "see docs/http-api.md"},
    {R::kApiTooManyChannels, "api_too_many_channels", "Too many channels in one event", 0, 0, 400, kClient,
     "send several events, or raise app.channels_per_event_max"},
    {R::kApiBatchTooLong, "api_batch_too_long", "Too many events in one batch", 0, 0, 400, kClient,
     "send several batches, or raise app.batch_max"},
    {R::kApiDataTooBig, "api_data_too_big", "Event data over the size limit", 0, 0, 413, kClient,
     "send less, or raise app.event_bytes_max"},
    {R::kApiSocketIdInvalid, "api_socket_id_invalid", "socket_id must look like 123.456", 0, 0, 400, kClient,
     "send the id the client got when it connected"},
    {R::kApiEncryptedNotAlone, "api_encrypted_not_alone", "An event for an encrypted channel takes no other channel", 0,
     0, 400, kClient, "publish to the encrypted channel in a call of its own"},
    {R::kApiInfoInvalid, "api_info_invalid", "This info is not available for this channel", 0, 0, 400, kClient,
     "user_count is for presence channels"},
    {R::kApiNotPresence, "api_not_presence", "Users can be listed for presence channels only", 0, 0, 400, kClient,
     "use a presence- channel"},
    {R::kApiUserIdInvalid, "api_user_id_invalid", "Invalid user id", 0, 0, 400, kClient, "see docs/http-api.md"},
    {R::kApiRateLimited, "api_rate_limited", "Too many requests", 0, 0, 429, kClient,
     "wait as Retry-After says, or raise the app's limit"},
    {R::kApiOverCapacity, "over_capacity", "Over capacity, try again", 0, 0, 503, kClient,
     "wait as Retry-After says, or add shards"},
});

constexpr bool in_order() {
  if (kTable.size() != static_cast<size_t>(Reason::kCount)) return false;
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].reason != static_cast<Reason>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "the rows of the reason table follow the order of enum class Reason");

}  // namespace

const ReasonRow& reason_row(Reason reason) {
  return kTable[static_cast<size_t>(reason)];
}

std::span<const ReasonRow> reason_table() {
  return kTable;
}

}  // namespace kilat
