//! Which run owns which share of the work, for a store on a server.
//!
//! Only its owner gives a share back, after its last write for that share. A share of a run whose
//! lease is over is free. So one run at a time does the work of a share.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use tokio::time::Instant;

use super::run_lease::{self, RunRole};
use super::{Store, StoreError, run_start};
use crate::shares::{RunNumber, Share, ShareMoves, ShareOwners};
use crate::store::db::{self, DbConnection};

/// The runs that share the work of a store, and what they own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareTable {
    /// The runs that may own shares.
    pub runs: BTreeSet<RunNumber>,
    /// The owner of each share that is not free.
    pub owners: ShareOwners,
    /// The newest message; 0 if there is none.
    pub newest_message: i64,
    /// Whether the lease of a run is over. Its shares are free when it is ended.
    pub has_dead_run: bool,
}

/// What a run owns after it gave and took shares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MovedShares {
    /// The shares of the run.
    pub owned: BTreeSet<Share>,
    /// Leases of dead runs that were opened again.
    pub reclaimed: u64,
}

impl Store {
    /// The number of the run that shares the work of the store with others; `None` if the run has
    /// the store alone.
    #[must_use]
    pub fn joint_run(&self) -> Option<RunNumber> {
        self.leased_run.filter(|_| self.is_joint)
    }

    /// The number of the run that has a store on a server; `None` for a file.
    #[must_use]
    pub fn leased_run(&self) -> Option<RunNumber> {
        self.leased_run
    }

    /// When this run must do nothing any more, unless its lease is renewed: other nodes may do its
    /// work then. `None` for a file.
    #[must_use]
    pub fn lease_deadline(&self) -> Option<Instant> {
        self.deadline.as_ref().map(|deadline| *deadline.borrow())
    }

    /// Who owns which share; an empty table for a file.
    pub async fn read_shares(&self) -> Result<ShareTable, StoreError> {
        match self.readers.acquire().await?.server_mut() {
            Some(server) => Ok(read_table(server).await?),
            None => Ok(ShareTable::default()),
        }
    }

    /// Ends the runs whose leases are over, gives these shares of `run` back, and takes the free
    /// shares that are its own. All of it is one transaction.
    pub async fn move_shares(
        &self,
        run: RunNumber,
        give: BTreeSet<Share>,
        now: Timestamp,
    ) -> Result<MovedShares, StoreError> {
        self.writer
            .write(move |conn| Box::pin(async move { write_moves(conn, run, &give, now).await }))
            .await
    }

    /// Says that `run` takes no more shares, because it stops.
    pub async fn leave_shares(&self, run: RunNumber) -> Result<(), StoreError> {
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let leave = db::query("UPDATE run_lease SET role = $2 WHERE run = $1");
                    let leave = leave.bind(run).bind(RunRole::Leaving.as_str());
                    leave.execute(conn).await.map(drop)
                })
            })
            .await
    }
}

async fn write_moves(
    conn: &mut DbConnection<'_>,
    run: RunNumber,
    give: &BTreeSet<Share>,
    now: Timestamp,
) -> Result<MovedShares, sqlx::Error> {
    let Some(server) = conn.server_mut() else { return Ok(MovedShares::default()) };
    run_lease::end_leases(server).await?;
    let give_back = sqlx::query("DELETE FROM share WHERE run = $1 AND id = ANY($2)");
    give_back.bind(run).bind(ids(give)).execute(&mut *server).await?;
    let table = read_table(server).await?;
    let take = ShareMoves::of_run(run, &table.runs, &table.owners).take;
    let take_all =
        sqlx::query("INSERT INTO share (id, run) SELECT unnest(CAST($2 AS BIGINT[])), $1");
    take_all.bind(run).bind(ids(&take)).execute(&mut *server).await?;
    let kept = table.owners.into_iter().filter(|(_, owner)| *owner == run);
    let owned = kept.map(|(share, _)| share).chain(take).collect();
    Ok(MovedShares { owned, reclaimed: run_start::reclaim_of_dead_runs(conn, now).await? })
}

fn ids(shares: &BTreeSet<Share>) -> Vec<i64> {
    shares.iter().map(|share| i64::from(share.0)).collect()
}

async fn read_table(conn: &mut PgConnection) -> Result<ShareTable, sqlx::Error> {
    let nodes = run_lease::read_all_leases(conn).await?;
    let (live, dead): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| !node.left.is_zero());
    let joint = live.into_iter().filter(|node| node.role == RunRole::Joint);
    let owners: Vec<(i64, RunNumber)> =
        sqlx::query_as("SELECT id, run FROM share").fetch_all(&mut *conn).await?;
    let owners = owners.into_iter().filter_map(|(id, run)| Some((Share(id.try_into().ok()?), run)));
    let newest = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM message");
    Ok(ShareTable {
        newest_message: newest.fetch_one(conn).await?,
        runs: joint.map(|node| node.run).collect(),
        owners: owners.collect(),
        has_dead_run: !dead.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fixture::{Bench, Home, at_second, compare_here, item, settle_plan};
    use super::super::{OpenError, StoryPlan, StoryWait};
    use super::*;
    use crate::config::StorePlace;
    use crate::shares::OwnShares;

    async fn open(home: &Home, role: RunRole) -> Result<Store, OpenError> {
        let (store, writer) = Store::open(&home.place(), role, compare_here()).await?;
        tokio::spawn(writer);
        Ok(store)
    }

    async fn join(home: &Home) -> (Store, RunNumber) {
        let store = open(home, RunRole::Joint).await.unwrap();
        let run = store.joint_run().unwrap();
        (store, run)
    }

    /// A handle on a store that another task writes.
    fn bench_of(store: Store, home: Home) -> Bench {
        Bench { store, writer: tokio::spawn(async { Ok(()) }), home }
    }

    /// The shares of a run after it did what it does.
    async fn move_all(store: &Store, run: RunNumber) -> BTreeSet<Share> {
        let table = store.read_shares().await.unwrap();
        let give = ShareMoves::of_run(run, &table.runs, &table.owners).give;
        store.move_shares(run, give, at_second(0)).await.unwrap().owned
    }

    /// A database of the server of the tests; `None` if the tests are about files.
    async fn database() -> Option<Home> {
        let home = Home::new().await;
        matches!(home.place(), StorePlace::Server(_)).then_some(home)
    }

    #[tokio::test]
    async fn runs_share_the_work_and_a_share_has_one_owner_at_every_moment() {
        let Some(home) = database().await else { return };
        let (first, one) = join(&home).await;
        assert_eq!(move_all(&first, one).await.len(), Share::COUNT);
        let (second, two) = join(&home).await;
        assert!(move_all(&second, two).await.is_empty(), "none is free");
        let kept = move_all(&first, one).await;
        let taken = move_all(&second, two).await;
        assert!(!kept.is_empty() && kept.is_disjoint(&taken));
        assert_eq!(kept.len() + taken.len(), Share::COUNT);
        first.leave_shares(one).await.unwrap();
        assert!(move_all(&first, one).await.is_empty());
        assert_eq!(move_all(&second, two).await.len(), Share::COUNT);
    }

    #[tokio::test]
    async fn the_shares_and_the_attempts_of_a_dead_run_go_to_another() {
        let Some(home) = database().await else { return };
        let (first, one) = join(&home).await;
        move_all(&first, one).await;
        let bench = bench_of(first.clone(), home);
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        let lost = bench.lease(one, "desk", 5).await.remove(0);
        let (second, two) = join(&bench.home).await;
        let moved = second.move_shares(two, BTreeSet::new(), at_second(6)).await.unwrap();
        assert_eq!((moved.owned.len(), moved.reclaimed), (0, 0));
        bench.home.end_lease(one).await;
        assert!(second.read_shares().await.unwrap().has_dead_run);
        let moved = second.move_shares(two, BTreeSet::new(), at_second(7)).await.unwrap();
        assert_eq!((moved.owned.len(), moved.reclaimed), (Share::COUNT, 1));
        assert!(!second.read_shares().await.unwrap().has_dead_run);
        let bench = bench_of(second, bench.home);
        let again = bench.lease(two, "desk", 8).await.remove(0);
        assert_eq!((&again.id, again.may_have_arrived), (&lost.id, true));
        assert!(first.leave_shares(one).await.is_err(), "the dead run writes no more");
    }

    #[tokio::test]
    async fn a_run_that_is_alone_and_runs_that_share_exclude_each_other() {
        let Some(home) = database().await else { return };
        let _first = join(&home).await;
        let refused = open(&home, RunRole::Alone).await.err().unwrap();
        assert!(matches!(refused, OpenError::Locked(_)), "{refused}");
        let home = Home::new().await;
        let alone = open(&home, RunRole::Alone).await.unwrap();
        assert_eq!(alone.joint_run(), None);
        let refused = open(&home, RunRole::Joint).await.err().unwrap();
        assert!(matches!(refused, OpenError::Locked(_)), "{refused}");
    }

    #[tokio::test]
    async fn a_node_finds_the_stories_of_its_own_sites() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
        let site = Share::of_page(Some("https://example.org/a"));
        let some = |shares: &[Share]| OwnShares::Some(Arc::new(shares.iter().copied().collect()));
        for (shares, expected) in [
            (OwnShares::All, 1),
            (some(&[site]), 1),
            (some(&[Share(site.0 ^ 1)]), 0),
            (some(&[]), 0),
        ] {
            let store = &bench.store;
            let found = store.waiting_stories(StoryWait::Page, at_second(1), &[], &shares, 9).await;
            assert_eq!(found.unwrap().len(), expected, "{shares:?}");
            let due = store.next_waiting_due(StoryWait::Page, &[], &shares).await.unwrap();
            assert_eq!(due.is_some(), expected == 1, "{shares:?}");
        }
    }
}
