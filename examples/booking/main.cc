#include "booking/booking.h"

int main(int argc, char** argv) {
  return examples::run_program(argc, argv, "Bookings", 8081, examples::make_booking);
}
