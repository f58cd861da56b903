# The interface target troupe_flags carries the flags with which every target of this project is built.
add_library(troupe_flags INTERFACE)
target_compile_features(troupe_flags INTERFACE cxx_std_20)
target_compile_options(troupe_flags INTERFACE
  -Wall -Wextra -Wpedantic $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror> -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion -Wsign-conversion)
target_link_libraries(troupe_flags INTERFACE troupe_hardening)
target_include_directories(troupe_flags INTERFACE ${PROJECT_SOURCE_DIR})
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(in_batches $<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>)
  # In a batch of source files gcc takes each of them for a header.
  target_compile_options(troupe_flags INTERFACE $<${in_batches}:-Wno-subobject-linkage>)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # gcc 12 warns of a write out of bounds where it inlines `"text" + std::string` into a large function. Builds without
    # batches keep these warnings.
    target_compile_options(troupe_flags INTERFACE
      $<${in_batches}:-Wno-array-bounds> $<${in_batches}:-Wno-stringop-overflow>)
  endif()
endif()
if(TROUPE_SANITIZE)
  # UBSan must stay recoverable at compile time, because it would otherwise ignore its suppression file. The tests run
  # it with halt_on_error=1.
  target_compile_options(troupe_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
    -Wno-maybe-uninitialized) # false positives of gcc 12 for an instrumented std::optional
  target_link_options(troupe_flags INTERFACE -fsanitize=address,undefined)
endif()
if(TROUPE_FUZZ)
  # The fuzzers measure the coverage of the libraries, so all libraries are instrumented.
  target_compile_options(troupe_flags INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(troupe_flags INTERFACE -fsanitize=address,undefined)
endif()
