# SPDX-License-Identifier: EUPL-1.2
# Libraries; why each: docs/design/decisions/.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8.1)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.5)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml>=0.7.12)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc>=2.6)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka>=1.1.5)

# The libfuse that tools/setup built is linked statically; else the system's.
if(NOT SOBRE_DEPS)
	foreach(dir $ENV{SOBRE_DEPS} /var/cache/sobrefs/deps
			$ENV{HOME}/.cache/sobrefs/deps)
		if(EXISTS ${dir}/lib/pkgconfig/fuse3.pc)
			set(SOBRE_DEPS ${dir})
			break()
		endif()
	endforeach()
endif()
if(SOBRE_DEPS)
	set(ENV{PKG_CONFIG_PATH} "${SOBRE_DEPS}/lib/pkgconfig")
endif()
pkg_check_modules(FUSE REQUIRED IMPORTED_TARGET fuse3>=3.14)
add_library(sobre_fuse INTERFACE)
pkg_get_variable(SOBRE_RING_MENDED fuse3 ring_mended) # by tools/setup
if(SOBRE_RING_MENDED)
	target_compile_definitions(sobre_fuse INTERFACE SOBRE_RING_MENDED)
endif()
if(SOBRE_DEPS)
	# By path, so that neither the system's libfuse nor an rpath gets in.
	list(TRANSFORM FUSE_STATIC_LIBRARIES
		REPLACE "^fuse3$" "${SOBRE_DEPS}/lib/libfuse3.a")
	target_include_directories(sobre_fuse SYSTEM INTERFACE
		${FUSE_STATIC_INCLUDE_DIRS})
	target_link_libraries(sobre_fuse INTERFACE ${FUSE_STATIC_LIBRARIES})
else()
	target_link_libraries(sobre_fuse INTERFACE PkgConfig::FUSE)
endif()
message(STATUS "libfuse ${FUSE_VERSION} ${SOBRE_DEPS}")
