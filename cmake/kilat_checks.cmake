# The checks of tests/tools as tests with the label "tools". They need Python 3 and no package besides.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(KILAT_TOOLS ${CMAKE_SOURCE_DIR}/tests/tools)

add_test(NAME tools_self_test
  COMMAND ${Python3_EXECUTABLE} -m unittest discover -s ${KILAT_TOOLS} -p *_test.py)
add_test(NAME tools_layers COMMAND ${Python3_EXECUTABLE} ${KILAT_TOOLS}/check_layers.py)
add_test(NAME tools_sizes COMMAND ${Python3_EXECUTABLE} ${KILAT_TOOLS}/check_sizes.py)
add_test(NAME tools_headers COMMAND ${Python3_EXECUTABLE} ${KILAT_TOOLS}/check_headers.py)
add_test(NAME tools_docs COMMAND ${Python3_EXECUTABLE} ${KILAT_TOOLS}/check_docs.py $<TARGET_FILE:kilat>)
set_tests_properties(tools_self_test tools_layers tools_sizes tools_headers tools_docs PROPERTIES
  LABELS tools TIMEOUT 300 ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
