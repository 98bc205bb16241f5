//! The system's signals: SIGTERM and Ctrl-C stop, SIGHUP reloads the rules.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Cancels `stop` at SIGTERM or SIGINT and notifies `reload` at SIGHUP, for as long as it is
/// polled.
///
/// # Errors
/// Where the system lets no handler be installed.
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
                _ = hang_up.recv() => reload.notify_one(),
            }
        }
        info!("stopping: what is being sent is finished first");
        stop.cancel();
        // A second signal means that the person does not want to wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    })
}
