# The library for C++ programs: kilat::kilat in this build, and, in the component `development` of an installation, its
# headers, the archives of all layers, and how CMake (find_package(kilat)) and pkg-config (kilat) find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# In the order in which a linker wants them.
set(KILAT_LAYERS embed app metrics config console ingest api socketio pusher hub flow store auth http ws net base)
list(TRANSFORM KILAT_LAYERS PREPEND kilat_ OUTPUT_VARIABLE layer_targets)

add_library(kilat::kilat ALIAS kilat_embed)
target_compile_features(kilat_embed PUBLIC cxx_std_23)
set_target_properties(kilat_embed PROPERTIES EXPORT_NAME kilat)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/kilat)
install(TARGETS ${layer_targets} EXPORT kilat COMPONENT development ARCHIVE
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/kilat INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/kilat DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(EXPORT kilat NAMESPACE kilat:: FILE kilat-targets.cmake DESTINATION ${package} COMPONENT development)

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/kilat-config.cmake @ONLY CONTENT [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(OpenSSL 3)
find_dependency(ZLIB)
find_dependency(CURL)
find_dependency(Boost 1.81 COMPONENTS json)
find_dependency(simdjson)
find_dependency(spdlog)
find_dependency(SQLite3)
find_dependency(PkgConfig)
if(NOT TARGET PkgConfig::cjose)
  pkg_check_modules(cjose QUIET REQUIRED IMPORTED_TARGET cjose)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/kilat-targets.cmake)
]])
write_basic_package_version_file(${CMAKE_BINARY_DIR}/kilat-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/kilat-config.cmake ${CMAKE_BINARY_DIR}/kilat-config-version.cmake
  DESTINATION ${package} COMPONENT development)

list(TRANSFORM layer_targets PREPEND -l OUTPUT_VARIABLE layer_flags)
list(JOIN layer_flags " " layer_flags)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/kilat.pc @ONLY CONTENT [[
prefix=@CMAKE_INSTALL_PREFIX@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@/kilat
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: kilat
Description: Realtime server for C++ programs: Socket.IO, Pusher and HTTP
Version: @PROJECT_VERSION@
Requires: openssl zlib libcurl simdjson spdlog fmt sqlite3 cjose
Libs: -L${libdir} @layer_flags@ -lboost_json -pthread
Cflags: -I${includedir} -std=c++23
]])
install(FILES ${CMAKE_BINARY_DIR}/kilat.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
