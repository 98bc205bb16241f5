//! The wait of a node for a store on a server that it cannot have beside another node.

use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use super::service_manager;
use crate::config::StorePlace;
use crate::daemon::Mode;
use crate::store::{
    CopyComparer, LeaseLost, LeaseWatch, OpenError, RunRole, ServerAway, Store, name_node,
};

/// The longest pause between two questions who has the store.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The shortest pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// An open store.
pub(super) struct OpenedStore<W> {
    pub(super) store: Store,
    /// The writer, which the caller spawns.
    pub(super) writer: W,
    /// Whether the node has waited for it.
    pub(super) has_waited: bool,
}

/// Opens the store. On a server, a run that goes on for ever waits while another run has the store
/// alone, or has it with other tables.
/// `lost` says why the last run of this node lost its lease, if one did.
///
/// The caller may drop this to give up.
///
/// # Errors
/// If the store cannot be opened, and a wait would not help.
pub(super) async fn open_store(
    place: &StorePlace,
    mode: Mode,
    lost: Option<&LeaseLost>,
    comparer: CopyComparer,
) -> Result<OpenedStore<impl Future<Output = Result<(), LeaseLost>> + Send + 'static>, OpenError> {
    let role = match mode {
        Mode::Forever => RunRole::Joint,
        Mode::Once => RunRole::Alone,
    };
    let open = || Store::open(place, role, CopyComparer::clone(&comparer));
    let may_wait = mode == Mode::Forever;
    let mut watch = match place {
        StorePlace::Server(server) if may_wait => LeaseWatch::new(server, lost),
        _ => return open().await.map(|opened| opened_store(opened, false)),
    };
    if lost.is_none() {
        match open().await {
            Err(OpenError::Locked(_)) => {}
            opened => return opened.map(|opened| opened_store(opened, false)),
        }
    }
    service_manager::notify_ready();
    let waiting = async {
        let mut told = Told::default();
        loop {
            wait_until_free(&mut watch, &mut told).await;
            match open().await {
                // Another node that waits was faster.
                Err(OpenError::Locked(_)) => {}
                Err(why @ OpenError::Unreachable { .. }) => {
                    told.tell_busy(&why.to_string());
                    sleep(LONGEST_PAUSE).await;
                }
                opened => return opened.map(|opened| opened_store(opened, true)),
            }
        }
    };
    service_manager::feed_watchdog_during(Box::pin(waiting)).await
}

fn opened_store<W>((store, writer): (Store, W), has_waited: bool) -> OpenedStore<W> {
    OpenedStore { store, writer, has_waited }
}

/// Waits until no run forbids this one.
async fn wait_until_free(watch: &mut LeaseWatch, told: &mut Told) {
    loop {
        let pause = match watch.ask().await {
            Ok(None) => return,
            Ok(Some(other)) => {
                told.tell_node(&other.node);
                other.left.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
            }
            Err(ServerAway) => LONGEST_PAUSE,
        };
        sleep(pause).await;
    }
}

/// What the log said last of a wait.
#[derive(Default)]
struct Told {
    node: String,
    busy: String,
}

impl Told {
    /// Logs which node has the store, unless it was logged last. A lease that this node has lost
    /// may last for some seconds; that is no news.
    fn tell_node(&mut self, node: &str) {
        if self.node == node {
            return;
        }
        node.clone_into(&mut self.node);
        if node != name_node() {
            service_manager::notify_status(&format!("waits: the store is used by {node}"));
            info!(event = "run_waits", "{node} has the store; this node waits for its end");
        }
    }

    /// Logs why a store that no run has cannot be opened, unless it was logged last.
    fn tell_busy(&mut self, why: &str) {
        if self.busy != why {
            warn!(event = "store_busy", "{why}; it is tried again");
            why.clone_into(&mut self.busy);
        }
    }
}
