#include "auth/rule_condition.h"

#include <algorithm>
#include <utility>

namespace kilat::auth {
namespace {

using Term = RuleCondition::Term;

Truth truth_of(const Term& term, const std::string& value, const Identity* who) {
  using enum Term::Kind;
  bool holds = false;
  switch (term.kind) {
    case kNone: break;
    case kAnonymous: holds = true; break;
    case kAuthenticated: holds = who != nullptr; break;
    case kRole: holds = who != nullptr && std::ranges::find(who->roles, value) != who->roles.end(); break;
    case kUser: holds = who != nullptr && who->user_id == value; break;
    case kClaim:
      holds = who != nullptr && std::ranges::any_of(who->claims, [&](const auto& claim) {
                return claim.first == term.path && claim.second == value;
              });
      break;
    case kBackend: return Truth::kAskBackend;
  }
  return holds ? Truth::kYes : Truth::kNo;
}

std::string words_of(const Term& term, const std::string& value) {
  using enum Term::Kind;
  switch (term.kind) {
    case kNone: return "none";
    case kAnonymous: return "anonymous";
    case kAuthenticated: return "authenticated";
    case kRole: return "role:" + value;
    case kUser: return "user:" + value;
    case kClaim: return "claim:" + term.path + '=' + value;
    case kBackend: return "backend";
  }
  return {};
}

std::string_view text_of(Truth truth) {
  return truth == Truth::kYes ? "yes" : truth == Truth::kNo ? "no" : "to be asked";
}

}  // namespace

// Recursive descent; the depth is bounded.
class ConditionParser {
 public:
  using Step = RuleCondition::Step;

  ConditionParser(std::string_view text, const ChannelPattern& pattern) : left_(text), pattern_(pattern) {}

  std::expected<RuleCondition, std::string> parse() {
    parse_any();
    if (error_.empty() && !left_.empty()) fail("has a ) too many");
    if (!error_.empty()) return std::unexpected(error_);
    return std::move(condition_);
  }

 private:
  void fail(std::string_view what) {
    if (error_.empty()) error_ = what;
  }
  bool take(char c) {
    if (!error_.empty() || !left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  void parse_any() {
    parse_all();
    while (take('|')) {
      parse_all();
      condition_.steps_.push_back({Step::Kind::kAny, {}});
    }
  }
  void parse_all() {
    parse_atom();
    while (take('&')) {
      parse_atom();
      condition_.steps_.push_back({Step::Kind::kAll, {}});
    }
  }
  void parse_atom() {
    if (take('(')) {
      if (++depth_ > RuleCondition::kDepthMax) return fail("has more than 16 brackets inside each other");
      parse_any();
      --depth_;
      if (!take(')')) fail("has a ( without its )");
      return;
    }
    const size_t end = std::min(left_.find_first_of("|&()"), left_.size());
    parse_term(left_.substr(0, end));
    left_.remove_prefix(end);
  }

  void parse_term(std::string_view text) {
    using enum Term::Kind;
    constexpr std::pair<std::string_view, Term::Kind> kWords[] = {
        {"none", kNone}, {"anonymous", kAnonymous}, {"authenticated", kAuthenticated}, {"backend", kBackend}};
    for (const auto& [word, kind] : kWords) {
      if (text == word) return push({kind, {}, {}});
    }
    constexpr std::pair<std::string_view, Term::Kind> kPrefixes[] = {
        {"role:", kRole}, {"user:", kUser}, {"claim:", kClaim}};
    for (const auto& [prefix, kind] : kPrefixes) {
      if (!text.starts_with(prefix)) continue;
      std::string_view value = text.substr(prefix.size());
      std::string path;
      if (kind == kClaim) {
        const size_t equals = value.find('=');
        if (equals == std::string_view::npos || equals == 0) return fail("has a claim: without NAME=VALUE");
        path = value.substr(0, equals);
        if (path.find_first_of("{}") != std::string::npos) {
          return fail("has { or } in the name of a claim; captures may stand behind its =");
        }
        value.remove_prefix(equals + 1);
      }
      if (value.empty()) return fail("has a role:, user: or claim: without a value");
      auto filled = CaptureTemplate::parse(value, pattern_);
      if (!filled) return fail(filled.error());
      return push({kind, std::move(path), std::move(*filled)});
    }
    fail(text.empty() ? std::string("lacks a word behind =, | or &")
                      : "has the word " + std::string(text) +
                            "; there are anonymous, authenticated, none, role:, user:, claim: and backend");
  }
  void push(Term term) { condition_.steps_.push_back({Step::Kind::kTerm, std::move(term)}); }

  std::string_view left_;
  const ChannelPattern& pattern_;
  RuleCondition condition_;
  std::string error_;
  int depth_ = 0;
};

std::expected<RuleCondition, std::string> RuleCondition::parse(std::string_view text, const ChannelPattern& pattern) {
  return ConditionParser(text, pattern).parse();
}

Truth RuleCondition::evaluate(auto&& truth_of) const {
  std::vector<Truth> stack;
  for (const Step& step : steps_) {
    if (step.kind == Step::Kind::kTerm) {
      stack.push_back(truth_of(step.term));
      continue;
    }
    const Truth right = stack.back();
    stack.pop_back();
    stack.back() = step.kind == Step::Kind::kAll ? std::min(stack.back(), right) : std::max(stack.back(), right);
  }
  return stack.back();
}

Truth RuleCondition::holds(const std::vector<Captured>& captures, const Identity* who) const {
  return evaluate([&](const Term& term) { return truth_of(term, term.value.fill_in(captures), who); });
}

bool RuleCondition::wants_user() const {
  return evaluate([](const Term& term) { return term.kind == Term::Kind::kNone ? Truth::kNo : Truth::kYes; }) !=
         Truth::kNo;
}

bool RuleCondition::asks_backend() const {
  return std::ranges::any_of(steps_, [](const Step& step) {
    return step.kind == Step::Kind::kTerm && step.term.kind == Term::Kind::kBackend;
  });
}

std::vector<std::string> RuleCondition::explain(const std::vector<Captured>& captures, const Identity* who) const {
  std::vector<std::string> lines;
  for (const Step& step : steps_) {
    if (step.kind != Step::Kind::kTerm) continue;
    const std::string value = step.term.value.fill_in(captures);
    lines.push_back(words_of(step.term, value) + ": " + std::string(text_of(truth_of(step.term, value, who))));
  }
  return lines;
}

}  // namespace kilat::auth
