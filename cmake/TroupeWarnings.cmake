# One interface target carries the flags every target of this project is built with.
add_library(troupe_flags INTERFACE)
target_compile_options(troupe_flags INTERFACE
  -Wall -Wextra -Wpedantic $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror> -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion -Wsign-conversion)
target_link_libraries(troupe_flags INTERFACE troupe_hardening)
target_include_directories(troupe_flags INTERFACE ${PROJECT_SOURCE_DIR})
if(TROUPE_SANITIZE)
  # UBSan stays recoverable at compile time, or it would ignore its suppression file; the tests run it with
  # halt_on_error=1.
  target_compile_options(troupe_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
    -Wno-maybe-uninitialized) # gcc 12 takes instrumented std::optional for uninitialized
  target_link_options(troupe_flags INTERFACE -fsanitize=address,undefined)
endif()
if(TROUPE_FUZZ)
  # What the fuzzers look at lies in the libraries, so all of them are instrumented.
  target_compile_options(troupe_flags INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(troupe_flags INTERFACE -fsanitize=address,undefined)
endif()
