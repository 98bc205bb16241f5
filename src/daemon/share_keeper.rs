//! Keeps the shares of this node: takes those that are its own, and gives back those that are not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::clock::now;
use crate::daemon::lender::HostLender;
use crate::daemon::story_parts::StoryParts;
use crate::shares::{RunNumber, Share, ShareMoves};
use crate::store::{HostLoan, MovedShares, StoreError};

/// How often the owners of the shares are read.
const LOOK: Duration = Duration::from_millis(400);

/// What keeps the shares of a run that is not alone.
#[derive(Debug)]
pub(crate) struct ShareKeeper {
    parts: Arc<StoryParts>,
    run: RunNumber,
    lender: HostLender,
    /// The newest message that the dispatcher was woken for.
    newest_message: i64,
}

impl ShareKeeper {
    /// A run without shares.
    pub(super) fn new(parts: Arc<StoryParts>, run: RunNumber) -> Self {
        let lender = HostLender::new(Arc::clone(&parts), run);
        Self { parts, run, lender, newest_message: 0 }
    }

    /// Takes the shares that are free and the run's own, before its work begins.
    pub(crate) async fn take_first(&mut self) -> Result<(), StoreError> {
        self.look().await
    }

    /// Keeps the shares until `stop`. Each is given back as soon as nobody uses it.
    pub(crate) async fn keep(mut self, stop: &CancellationToken) {
        let shares = Arc::clone(&self.parts.shares);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = shares.drained() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            self.look_or_log().await;
        }
        if let Err(why) = self.parts.store.leave_shares(self.run).await
            && why.is_news()
        {
            error!(event = "store_failed", "the shares cannot be given back early: {why}");
        }
        loop {
            self.look_or_log().await;
            if shares.is_unused() {
                return;
            }
            // It may not come, if the store failed.
            let drained = tokio::time::timeout(LOOK, shares.drained());
            drained.await.unwrap_or_default();
        }
    }

    async fn look_or_log(&mut self) {
        if let Err(why) = self.look().await
            && why.is_news()
        {
            error!(event = "store_failed", "the shares of this node cannot be read: {why}");
        }
    }

    /// Reads who owns which share, and does what follows for this run.
    async fn look(&mut self) -> Result<(), StoreError> {
        let parts = Arc::clone(&self.parts);
        let (store, shares) = (&parts.store, &parts.shares);
        let table = store.read_shares().await?;
        if self.newest_message < table.newest_message {
            self.newest_message = table.newest_message;
            parts.wakeups.message_due.notify_one();
        }
        let loans = store.read_loans().await?;
        if self.lender.take_in(&loans) {
            self.read_rests().await;
        }
        let moves = ShareMoves::of_run(self.run, &table.runs, &table.owners);
        let own = table.owners.iter().filter(|(_, owner)| **owner == self.run);
        let kept = own.map(|(share, _)| *share).filter(|share| !moves.give.contains(share));
        self.put_in_force(kept.collect(), loans.clone()).await;
        let idle = shares.idle(&moves.give);
        if moves.take.is_empty() && idle.is_empty() && !table.has_dead_run {
            return Ok(());
        }
        let MovedShares { owned, reclaimed } = store.move_shares(self.run, idle, now()).await?;
        if reclaimed > 0 {
            info!(
                event = "messages_reclaimed",
                "messages in flight when another node ended: {reclaimed}; they are sent again"
            );
        }
        let kept = owned.into_iter().filter(|share| !moves.give.contains(share));
        self.put_in_force(kept.collect(), loans).await;
        Ok(())
    }

    /// Lets work begin for these shares and no others. Hosts of new shares that are lent stay so.
    async fn put_in_force(&mut self, own: BTreeSet<Share>, loans: Vec<HostLoan>) {
        let parts = Arc::clone(&self.parts);
        let (count, before) = (own.len(), parts.shares.own());
        let is_new = |share: &Share| own.contains(share) && !before.contains(*share);
        let mut permitted = Vec::new();
        if own.iter().any(is_new) {
            // Another node may have asked these hosts a moment ago.
            parts.fetcher.hosts.begin_gaps();
            self.read_rests().await;
            let lent = loans.into_iter().filter(|loan| is_new(&loan.share)).collect();
            permitted = self.lender.permit_loans(lent).await;
        }
        if !parts.shares.replace(own) {
            return;
        }
        for (loan, permit) in permitted {
            if let Some(share) = parts.shares.begin(loan.share) {
                self.lender.lend(loan, share, permit);
            }
        }
        let all = Share::COUNT;
        info!(event = "shares_in_force", "this node does {count} of {all} shares of the work");
        parts.wakeups.shares_changed();
    }

    /// Reads the pauses that hosts asked other nodes for.
    async fn read_rests(&self) {
        if let Err(why) = self.parts.read_host_rests(now()).await
            && why.is_news()
        {
            error!(event = "store_failed", "the pauses of hosts cannot be read: {why}");
        }
    }
}
