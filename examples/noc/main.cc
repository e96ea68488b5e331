#include "common/system.h"
#include "noc/noc.h"

int main(int argc, char** argv) {
  return examples::run_program(argc, argv, "Network operations centre", 5000, examples::make_noc);
}
