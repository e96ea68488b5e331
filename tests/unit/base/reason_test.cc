#include "base/reason.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/result.h"

namespace kilat {
namespace {

TEST(Reason, EveryValue_HasItsRow) {
  ASSERT_EQ(reason_table().size(), static_cast<size_t>(Reason::kCount));
  for (size_t i = 0; i < reason_table().size(); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_EQ(reason_row(reason).reason, reason);
    EXPECT_EQ(&reason_row(reason), &reason_table()[i]);
  }
}

TEST(Reason, Ids_AreUniqueAndFitAMetricLabel) {
  std::set<std::string_view> ids;
  for (const ReasonRow& row : reason_table()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_FALSE(row.id.empty());
    EXPECT_TRUE(std::ranges::all_of(row.id, [](char c) {
      return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9');
    })) << row.id;
  }
}

TEST(Reason, Texts_FitACloseFrameAndNeedNoEscape) {
  for (const ReasonRow& row : reason_table()) {
    // RFC 6455, section 5.5: a control frame has at most 125 bytes, two of which are the code.
    EXPECT_LE(row.text.size(), 123U) << row.id;
    for (const std::string_view text : {row.text, row.remedy}) {
      EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }))
          << row.id;
    }
    if (row.reason == Reason::kNone) continue;
    EXPECT_FALSE(row.text.empty()) << row.id;
    EXPECT_FALSE(row.remedy.empty()) << row.id;
  }
}

// docs/protocol.md: what pusher-js does with a close code.
TEST(Reason, CloseCodes_MakeTheClientDoWhatTheRowSays) {
  for (const ReasonRow& row : reason_table()) {
    const int code = row.close_code;
    if (code == 0) continue;
    EXPECT_LT(code, 4300) << row.id << ": closing with 43xx stops pusher-js for good";
    EXPECT_TRUE((code >= 1000 && code <= 1011) || code >= 4000) << row.id;
    EXPECT_NE(code, 1005) << row.id << ": never on the wire, RFC 6455 section 7.4.1";
    EXPECT_NE(code, 1006) << row.id << ": never on the wire, RFC 6455 section 7.4.1";
    if (row.client == Return::kUpToClient) continue;
    // 4000 asks for TLS: the client comes back at once, over TLS.
    const Return expected = code < 4000    ? Return::kAfterBackoff
                            : code == 4000 ? row.client
                            : code < 4100  ? Return::kNever
                            : code < 4200  ? Return::kAfterBackoff
                                           : Return::kAtOnce;
    EXPECT_EQ(row.client, expected) << row.id;
    EXPECT_NE(row.client, Return::kNotClosed) << row.id;
  }
}

TEST(Reason, RowsThatStay_HaveNoCloseCode) {
  for (const ReasonRow& row : reason_table()) {
    if (row.client == Return::kNotClosed) {
      EXPECT_EQ(row.close_code, 0) << row.id;
    }
  }
}

TEST(Reason, PusherCodesOfConnectionErrors_EqualTheirCloseCodes) {
  for (const ReasonRow& row : reason_table()) {
    if (row.close_code < 4000 || row.pusher_code <= 0) continue;
    EXPECT_EQ(row.pusher_code, row.close_code) << row.id;
  }
}

TEST(Reason, HttpStatuses_AreErrors) {
  for (const ReasonRow& row : reason_table()) {
    if (row.http_status == 0) continue;
    EXPECT_GE(row.http_status, 400) << row.id;
    EXPECT_LT(row.http_status, 600) << row.id;
  }
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Reason::kInternal, "odd");
  return value / 2;
}
Result<int> quarter(int value) {
  TRY(const int first, half(value));
  TRY(const int second, half(first));
  return second;
}

TEST(Result, Try_GivesTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6).has_value());
  EXPECT_EQ(quarter(6).error().detail, "odd");
  EXPECT_EQ(quarter(3).error().reason, Reason::kInternal);
}

}  // namespace
}  // namespace kilat
