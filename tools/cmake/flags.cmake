# SPDX-License-Identifier: EUPL-1.2
# Every flag of ours, on one target that all others link.
add_library(sobre_flags INTERFACE)
target_include_directories(sobre_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(sobre_flags INTERFACE _GNU_SOURCE
	_FILE_OFFSET_BITS=64 SOBRE_VERSION="${PROJECT_VERSION}")
target_compile_options(sobre_flags INTERFACE
	-fno-strict-aliasing -fstack-protector-strong
	-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wvla
	-Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition
	-Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual -Wformat=2
	-Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion
	-Wswitch-enum -Wunused-result)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(sobre_flags INTERFACE
		-Wlogical-op -Wduplicated-cond -Wduplicated-branches)
endif()
if(SOBRE_WERROR)
	target_compile_options(sobre_flags INTERFACE -Werror)
endif()
if(SOBRE_SANITIZE)
	target_compile_options(sobre_flags INTERFACE
		-fsanitize=${SOBRE_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	target_link_options(sobre_flags INTERFACE
		-fsanitize=${SOBRE_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
	target_compile_options(sobre_flags INTERFACE
		-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(SOBRE_COVERAGE)
	target_compile_options(sobre_flags INTERFACE --coverage)
	target_link_options(sobre_flags INTERFACE --coverage)
endif()
