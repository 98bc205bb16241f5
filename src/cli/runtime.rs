//! The runtime that a command's asynchronous part runs on.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::exit::Exit;
use crate::cli::output;

/// How long the end of a command waits for a disk that hangs.
const HUNG_DISK: Duration = Duration::from_secs(5);

/// Says that no runtime can be started.
pub(super) fn no_threads(why: &std::io::Error) -> Exit {
    output::fail(
        format_args!("the system provides no threads or sockets: {why}"),
        Exit::Unavailable,
    )
}

/// Waits for a signal that ends the command: SIGTERM or Ctrl-C. Where no handler can be installed,
/// the signal ends the process.
pub(super) async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Runs a future to its end on a new runtime.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Exit>>) -> Result<T, Exit> {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let ended = runtime.block_on(future);
            runtime.shutdown_timeout(HUNG_DISK);
            ended
        }
        Err(why) => Err(no_threads(&why)),
    }
}
