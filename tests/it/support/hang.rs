//! A disk that hangs: a library, compiled by the C compiler, that makes writes to disk wait while a
//! file exists.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::clock::compile;

/// `fsync` and `fdatasync` wait while the file of `DISK_HANGS` exists.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_while_it_hangs(void) {
    const char *file = getenv("DISK_HANGS");
    while (file && access(file, F_OK) == 0) usleep(20000);
}

int fsync(int file) {
    wait_while_it_hangs();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int fdatasync(int file) {
    wait_while_it_hangs();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}
"#;

/// The library, for `LD_PRELOAD`. It is compiled once in a test run.
pub fn shim() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| compile("hang", SHIM))
}
