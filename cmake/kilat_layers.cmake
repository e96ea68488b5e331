# kilat_layer(name LINK libraries…): the static library kilat_<name> from every source of src/<name>, main.cc apart.
function(kilat_layer name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(sources)
    add_library(kilat_${name} STATIC ${sources})
    target_include_directories(kilat_${name} PUBLIC
      $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
    target_link_libraries(kilat_${name} PUBLIC ${ARG_LINK})
  else()
    add_library(kilat_${name} INTERFACE)
    target_include_directories(kilat_${name} INTERFACE
      $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
    target_link_libraries(kilat_${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()
