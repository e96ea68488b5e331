// The one table of refusals and closes. Every refused request, every error frame and every closed connection is a row:
// whoever reads a log line, a metric, an answer or docs/reasons.md meets the same id.
// Immutable; any thread may read it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kilat {

/// One value per sin. The order is the order of the table in reason.cc (checked at compile time).
enum class Reason : uint8_t {
  kNone,
  // The peer or the machine ended it.
  kClientClosed,
  kClientGone,
  kInternal,
  // HTTP.
  kHttpMalformed,
  kHttpHeaderTooLarge,
  kHttpBodyTooLarge,
  kHttpTimeout,
  kHttpIdle,
  kHttpNotFound,
  kHttpMethodNotAllowed,
  kHttpVersionUnsupported,
  kHttpDone,
  kHttpOverCapacity,
  // TLS and proxies.
  kTlsFilesInvalid,
  kTlsPlainHttp,
  kTlsHandshakeFailed,
  kTlsClientCertificateRefused,
  kTlsRecordInvalid,
  kProxyUntrusted,
  kProxyHeaderInvalid,
  // Too much from one client address.
  kAddressOverQuota,
  kAddressTooFast,
  // WebSocket handshake.
  kWsUpgradeRequired,
  kWsVersionUnsupported,
  kWsKeyInvalid,
  kWsHandshakeTimeout,
  // WebSocket frames, RFC 6455 and RFC 7692.
  kWsUnmasked,
  kWsReservedBits,
  kWsReservedOpcode,
  kWsControlFragmented,
  kWsControlTooLong,
  kWsLengthNotMinimal,
  kWsLengthInvalid,
  kWsUnexpectedContinuation,
  kWsExpectedContinuation,
  kWsClosePayloadInvalid,
  kWsCloseCodeInvalid,
  kWsInvalidUtf8,
  kWsMessageTooBig,
  kWsTooManyFragments,
  kWsDeflateInvalid,
  kWsInflatedTooBig,
  // Pusher connections.
  kTlsRequired,
  kAppUnknown,
  kAppDisabled,
  kAppOverQuota,
  kAppOverQuotaRetry,
  kAppConnectsLimited,
  kServerOverCapacity,
  kProtocolMalformed,
  kProtocolUnsupported,
  kProtocolMissing,
  kOriginRefused,
  kAuthTimeout,
  kTerminatedByApi,
  kForcedReconnect,
  kServerDraining,
  kPongTimeout,
  kTooManyMalformed,
  kClientMessagesLimited,
  kClientBytesLimited,
  kSlowConsumer,
  kSlowConsumerSoft,
  kMemoryBudget,
  // Pusher messages: the connection stays, unless the row says otherwise.
  kMessageMalformed,
  kEventUnsupported,
  kChannelNameInvalid,
  kChannelNameTooLong,
  kChannelAuthInvalid,
  kChannelAuthKeyInvalid,
  kPresenceDataInvalid,
  kPresenceMemberTooBig,
  kPresenceChannelFull,
  kTooManySubscriptions,
  kUserChannelRefused,
  kSigninInvalid,
  kSigninOtherUser,
  kSigninDisabled,
  kWatchlistTooLong,
  // Who may do what: tokens, channel rules, the backend's decisions.
  kTokenInvalid,
  kTokenExpired,
  kTokenRanOut,
  kTokenKeyUnknown,
  kTokenKeysUnavailable,
  kTokenMissing,
  kTokensNotTaken,
  kRuleRefused,
  kRuleNeedsUser,
  kBackendRefused,
  kBackendUnavailable,
  kHandlerRefused,
  // What a reader who comes back can not get, and why.
  kHistoryOff,
  kHistoryEpoch,
  kHistoryExpired,
  kHistoryTooLong,
  kHistoryUnavailable,
  kDurableFileInvalid,
  kFlowInvalid,
  // Durable ingest.
  kIngestOff,
  kIngestEncodingUnknown,
  kIngestBodyInvalid,
  kIngestReadingInvalid,
  kIngestQueueFull,
  kIngestUnavailable,
  kIngestJobUnknown,
  kClientEventsDisabled,
  kClientEventChannelRefused,
  kClientEventNotSubscribed,
  kClientEventNameTooLong,
  kClientEventTooBig,
  kClientEventRateLimited,
  kClientEventOverCapacity,
  // Engine.IO: HTTP requests and sessions.
  kEioTransportUnknown,
  kEioSessionUnknown,
  kEioBadHandshakeMethod,
  kEioBadRequest,
  kEioVersionUnsupported,
  kEioOverlap,
  kEioBinaryBody,
  kEioPacketInvalid,
  kEioPingTimeout,
  kEioUpgradeTimeout,
  kEioUpgradeRefused,
  // Socket.IO: packets, namespaces, and the events that the server answers.
  kSioPacketInvalid,
  kSioNotConnected,
  kSioConnectTimeout,
  kSioTooManyAttachments,
  kSioBinaryTooBig,
  kSioBinaryTimeout,
  kSioTakenOver,
  kSioNamespaceInvalid,
  kSioTooManyNamespaces,
  kSioArgumentsInvalid,
  kSioEventNameRefused,
  kEventNameReserved,
  // HTTP API.
  kApiAppUnknown,
  kApiAppDisabled,
  kApiKeyInvalid,
  kApiVersionInvalid,
  kApiTimestampInvalid,
  kApiTimestampExpired,
  kApiBodyMd5Invalid,
  kApiSignatureInvalid,
  kApiBodyInvalid,
  kApiParameterInvalid,
  kApiEventNameInvalid,
  kApiChannelInvalid,
  kApiTooManyChannels,
  kApiBatchTooLong,
  kApiIdempotencyKeyInvalid,
  kApiDataTooBig,
  kApiSocketIdInvalid,
  kApiEncryptedNotAlone,
  kApiInfoInvalid,
  kApiNotPresence,
  kApiUserIdInvalid,
  kApiRateLimited,
  kApiOverCapacity,
  kCount,
};

/// Whether the other side will try again by itself.
enum class Return : uint8_t { kNotClosed, kNever, kAfterBackoff, kAtOnce, kUpToClient };

inline constexpr int kNoPusherCode = 0;     ///< no `pusher:error` is sent
inline constexpr int kNullPusherCode = -1;  ///< `pusher:error` with `"code":null`

struct ReasonRow {
  Reason reason;
  std::string_view id;      ///< stable name: log field, metric label, docs anchor
  std::string_view text;    ///< one line for people, sent to the other side
  int pusher_code;          ///< code inside `pusher:error`, or one of the two constants above
  uint16_t close_code;      ///< WebSocket close code; 0 when the connection stays or no frame is sent
  uint16_t http_status;     ///< status of the HTTP answer; 0 where there is none
  Return client;            ///< what pusher-js does next
  std::string_view remedy;  ///< what the reader of a log can do about it
};

/// The row of `reason`. Never fails.
const ReasonRow& reason_row(Reason reason);

/// All rows in order.
std::span<const ReasonRow> reason_table();

}  // namespace kilat
