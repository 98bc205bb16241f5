//! The runtime that a command's asynchronous part runs on.

use crate::cli::exit::Exit;
use crate::cli::output;

/// Says that no runtime can be started.
pub(super) fn no_threads(why: &std::io::Error) -> Exit {
    output::fail(
        format_args!("the system provides no threads or sockets: {why}"),
        Exit::Unavailable,
    )
}

/// Runs a future to its end on a new runtime.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Exit>>) -> Result<T, Exit> {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(future),
        Err(why) => Err(no_threads(&why)),
    }
}
