#include "cli/bench/publisher.h"

namespace kilat::cli::bench {
namespace {

class ClientEventPublisher final : public Publisher {
 public:
  ClientEventPublisher(const Plan& plan, Fleet& fleet, Ledger& ledger)
      : plan_(plan), fleet_(fleet), ledger_(ledger), payload_(plan.run, plan.payload_bytes) {
    heads_.reserve(plan.shape.channels);
    for (uint32_t i = 0; i < plan.shape.channels; ++i) {
      heads_.push_back(R"({"event":"client-bench","channel":")" + plan.channel_name(i) + R"(","data":)");
    }
  }

  bool publish(uint64_t due_ns, uint64_t now_ns) override {
    const uint32_t count = plan_.shape.publishers;
    for (uint32_t tried = 0; tried < count; ++tried) {
      const uint32_t connection = next_;
      next_ = next_ + 1 == count ? 0 : next_ + 1;
      if (!fleet_.can_send(connection)) continue;
      const uint32_t channel = plan_.shape.channel_of(connection);
      const uint32_t number = ledger_.publish(connection, channel, now_ns);
      text_ = heads_[channel];
      text_ += payload_.make({connection, channel, number, due_ns});
      text_ += '}';
      fleet_.send_text(connection, text_);
      return true;
    }
    return false;
  }

  bool has_senders() const override {
    for (uint32_t i = 0; i < plan_.shape.publishers; ++i) {
      if (fleet_.is_live(i)) return true;
    }
    return false;
  }
  uint64_t unanswered() const override { return 0; }
  uint64_t refused() const override { return 0; }
  const Complaint* hopeless() const override { return nullptr; }
  const Histogram& answer_ns() const override { return none_; }

 private:
  const Plan& plan_;
  Fleet& fleet_;
  Ledger& ledger_;
  PayloadMaker payload_;
  std::vector<std::string> heads_;  // of the message, up to the data, for each channel
  std::string text_;
  uint32_t next_ = 0;
  Histogram none_;
};

}  // namespace

std::unique_ptr<Publisher> make_client_event_publisher(const Plan& plan, Fleet& fleet, Ledger& ledger) {
  return std::make_unique<ClientEventPublisher>(plan, fleet, ledger);
}

}  // namespace kilat::cli::bench
