//! The system's signals: SIGTERM and Ctrl-C stop, SIGHUP reloads the configuration and the rules.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// The future cancels `stop` at SIGTERM or SIGINT, and notifies `reload` at SIGHUP.
///
/// # Errors
/// If the system refuses a signal handler.
pub fn listen(
    stop: CancellationToken,
    reload: Arc<Notify>,
) -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => {
                    info!(
                        event = "reload_requested",
                        "SIGHUP: the configuration and the rules are read again"
                    );
                    reload.notify_one();
                }
            }
        }
        info!(event = "run_stopping", "stopping: messages in flight are finished first");
        stop.cancel();
        // A second signal ends the process at once.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    })
}
