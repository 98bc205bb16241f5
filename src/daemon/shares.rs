//! The shares of the work that this node does now.
//!
//! Whoever does work of a share holds a [`ShareUse`] until its last write. A share is given back to
//! the store when nobody holds it, so another node begins after this one has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::shares::{OwnShares, Share};

/// How often the store is queried for what other nodes recorded.
const OTHERS: Duration = Duration::from_secs(1);

/// The shares that this node owns, and who uses them.
#[derive(Debug)]
pub(crate) struct NodeShares {
    table: Mutex<UsedShares>,
    /// Notified when nobody uses a share any more that this node does not own.
    drained: Notify,
}

#[derive(Debug)]
struct UsedShares {
    own: OwnShares,
    /// The uses of each share, at least one.
    uses: BTreeMap<Share, Uses>,
}

/// How many use a share.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    work: usize,
    loans: usize,
}

/// What a share is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UseKind {
    /// For work of this node.
    Work,
    /// To lend a host of it to another node.
    Loan,
}

impl Uses {
    fn of(&mut self, kind: UseKind) -> &mut usize {
        match kind {
            UseKind::Work => &mut self.work,
            UseKind::Loan => &mut self.loans,
        }
    }
}

/// The use of a share. The share stays with this node until this is dropped.
#[derive(Debug)]
pub(crate) struct ShareUse {
    shares: Arc<NodeShares>,
    share: Share,
    kind: UseKind,
}

impl NodeShares {
    /// A node with these shares.
    pub(crate) fn new(own: OwnShares) -> Arc<Self> {
        let table = Mutex::new(UsedShares { own, uses: BTreeMap::new() });
        Arc::new(Self { table, drained: Notify::new() })
    }

    /// The shares that work may begin for.
    pub(crate) fn own(&self) -> OwnShares {
        self.lock().own.clone()
    }

    /// Whether this node does all the work.
    pub(crate) fn owns_all(&self) -> bool {
        match self.own() {
            OwnShares::All => true,
            OwnShares::Some(shares) => shares.len() == Share::COUNT,
        }
    }

    /// Waits until another node may have recorded work of this node's shares. A node that is alone
    /// waits for ever.
    pub(crate) async fn wait_for_others(&self) {
        match self.own() {
            OwnShares::All => std::future::pending().await,
            OwnShares::Some(_) => tokio::time::sleep(OTHERS).await,
        }
    }

    /// Begins work of a share; `None` if it is not this node's.
    pub(crate) fn begin(self: &Arc<Self>, share: Share) -> Option<ShareUse> {
        let mut table = self.lock();
        table.own.contains(share).then(|| self.count_use(&mut table, share, UseKind::Work))
    }

    /// Joins work of a share that this node does: also of one that it will give away, while other
    /// work of it is under way.
    pub(crate) fn join(self: &Arc<Self>, share: Share) -> Option<ShareUse> {
        self.use_while_worked(share, UseKind::Work)
    }

    /// Like [`join`](Self::join), to lend a host of the share. Loans alone do not keep a share that
    /// this node will give away: other nodes ask for hosts again and again.
    pub(super) fn join_to_lend(self: &Arc<Self>, share: Share) -> Option<ShareUse> {
        self.use_while_worked(share, UseKind::Loan)
    }

    fn use_while_worked(self: &Arc<Self>, share: Share, kind: UseKind) -> Option<ShareUse> {
        let mut table = self.lock();
        let has_work = table.uses.get(&share).is_some_and(|uses| uses.work > 0);
        let may_use = table.own.contains(share) || has_work;
        may_use.then(|| self.count_use(&mut table, share, kind))
    }

    fn count_use(
        self: &Arc<Self>,
        table: &mut UsedShares,
        share: Share,
        kind: UseKind,
    ) -> ShareUse {
        *table.uses.entry(share).or_default().of(kind) += 1;
        ShareUse { shares: Arc::clone(self), share, kind }
    }

    /// Lets work begin for these shares and no others. Returns whether they differ from before.
    pub(super) fn replace(&self, own: BTreeSet<Share>) -> bool {
        let (mut table, own) = (self.lock(), OwnShares::Some(Arc::new(own)));
        let has_changed = table.own != own;
        if has_changed {
            table.own = own;
        }
        has_changed
    }

    /// Which of these shares nobody uses.
    pub(super) fn idle(&self, shares: &BTreeSet<Share>) -> BTreeSet<Share> {
        let table = self.lock();
        shares.iter().copied().filter(|share| !table.uses.contains_key(share)).collect()
    }

    /// Whether nobody uses any share.
    pub(super) fn is_unused(&self) -> bool {
        self.lock().uses.is_empty()
    }

    /// Waits until a share has no use any more that this node does not own.
    pub(super) async fn drained(&self) {
        self.drained.notified().await;
    }

    /// A panic cannot leave the table half changed, so a poisoned lock is used as it is.
    fn lock(&self) -> MutexGuard<'_, UsedShares> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ShareUse {
    /// Does `work` of the share.
    pub(crate) async fn hold_during<T>(self, work: impl Future<Output = T>) -> T {
        let done = work.await;
        drop(self);
        done
    }
}

impl Drop for ShareUse {
    fn drop(&mut self) {
        let mut table = self.shares.lock();
        let Some(uses) = table.uses.get_mut(&self.share) else { return };
        *uses.of(self.kind) -= 1;
        if uses.work + uses.loans == 0 {
            table.uses.remove(&self.share);
            if !table.own.contains(self.share) {
                self.shares.drained.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn shares(numbers: &[u8]) -> BTreeSet<Share> {
        numbers.iter().copied().map(Share).collect()
    }

    #[test]
    fn work_begins_for_own_shares_only() {
        let node = NodeShares::new(OwnShares::Some(Arc::new(shares(&[1, 2]))));
        assert!(node.begin(Share(1)).is_some() && node.begin(Share(3)).is_none());
        assert!(node.replace(shares(&[3])) && !node.replace(shares(&[3])));
        assert!(node.begin(Share(1)).is_none() && node.begin(Share(3)).is_some());
        let alone = NodeShares::new(OwnShares::All);
        assert!(Share::all().all(|share| alone.begin(share).is_some()));
    }

    #[test]
    fn a_share_that_is_given_away_is_idle_when_the_last_use_has_ended() {
        let node = NodeShares::new(OwnShares::Some(Arc::new(shares(&[1, 2]))));
        let first = node.begin(Share(1));
        node.replace(shares(&[]));
        let second = node.join(Share(1));
        assert!(second.is_some() && node.join(Share(2)).is_none());
        assert_eq!(node.idle(&shares(&[1, 2])), shares(&[2]));
        drop(first);
        assert_eq!(node.idle(&shares(&[1, 2])), shares(&[2]));
        assert!(node.drained().now_or_never().is_none());
        drop(second);
        assert_eq!(node.idle(&shares(&[1, 2])), shares(&[1, 2]));
        assert!(node.drained().now_or_never().is_some());
    }

    #[test]
    fn a_share_that_is_given_away_is_lent_while_there_is_work_of_it_and_not_longer() {
        let node = NodeShares::new(OwnShares::Some(Arc::new(shares(&[1]))));
        let (work, lent) = (node.begin(Share(1)), node.join_to_lend(Share(1)));
        node.replace(shares(&[]));
        assert!(node.join_to_lend(Share(1)).is_some());
        drop(work);
        assert!(node.join_to_lend(Share(1)).is_none() && node.join(Share(1)).is_none());
        assert_eq!(node.idle(&shares(&[1])), shares(&[]));
        drop(lent);
        assert_eq!(node.idle(&shares(&[1])), shares(&[1]));
    }
}
