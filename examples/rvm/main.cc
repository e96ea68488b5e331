#include "common/system.h"
#include "rvm/rvm.h"

int main(int argc, char** argv) {
  return examples::run_program(argc, argv, "Reverse vending machines", 8080, examples::make_rvm);
}
