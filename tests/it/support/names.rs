//! A resolver that comes late: a library, compiled by the C compiler, that looks names up on
//! loopback, or not at all while a file exists.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::clock::compile;

/// Names below `.test` are at 127.0.0.1. While the file of `NAMES_FAIL` exists, no name is found.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    const char *file = getenv("NAMES_FAIL");
    size_t length = name ? strlen(name) : 0;
    int is_test = length > 5 && !strcmp(name + length - 5, ".test");
    if (is_test && file && access(file, F_OK) == 0) return EAI_AGAIN;
    return ((lookup)dlsym(RTLD_NEXT, "getaddrinfo"))(is_test ? "127.0.0.1" : name, service, hints, found);
}
"#;

/// The library, for `LD_PRELOAD`. It is compiled once in a test run.
pub fn shim() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| compile("names", SHIM))
}
