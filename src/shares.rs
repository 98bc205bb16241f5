//! The shares of the work: what one node at a time does, and which node that is.
//!
//! Every site and every notifier belongs to one of 256 shares, and so do the chores of the store.
//! Each node works out alone which shares are its own, from the runs that are live.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use twox_hash::XxHash3_64;
use url::{Host, Url};

use tidings_rules::story::NotifierName;

/// The number of a run in the store.
pub type RunNumber = i64;

/// A part of the work that one node at a time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(pub u8);

impl Share {
    /// The number of shares.
    pub const COUNT: usize = 256;

    /// The share of the chores that are about the whole store, such as retention.
    pub const CHORES: Self = Self(0);

    /// The share of the stories that wait to be matched: they are matched in their order.
    pub const MATCHES: Self = Self(1);

    /// All shares.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    /// The share of the site that serves an address: the requests to its hosts. A site is a
    /// registrable domain by the public suffix list, or an IP address. Addresses without a host
    /// belong to one share.
    #[must_use]
    pub fn of_site(url: &Url) -> Self {
        let site = match url.host() {
            Some(Host::Domain(name)) => psl::domain_str(name).unwrap_or(name).to_owned(),
            Some(address) => address.to_string(),
            None => String::new(),
        };
        Self::of_name("site", &site)
    }

    /// The share of the site that serves a story's page.
    #[must_use]
    pub fn of_page(link: Option<&str>) -> Self {
        let url = link.and_then(|link| Url::parse(link).ok());
        url.map_or(Self::CHORES, |url| Self::of_site(&url))
    }

    /// The share of a notifier: the attempts at its messages.
    #[must_use]
    pub fn of_notifier(name: &NotifierName) -> Self {
        Self::of_name("notifier", &name.0)
    }

    /// Every build and every machine comes to the same share.
    fn of_name(kind: &str, name: &str) -> Self {
        let [share, ..] = XxHash3_64::oneshot(format!("{kind} {name}").as_bytes()).to_be_bytes();
        Self(share)
    }
}

/// The shares of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnShares {
    /// All: it has the store alone.
    All,
    /// These.
    Some(Arc<BTreeSet<Share>>),
}

impl OwnShares {
    /// Whether the node does the work of this share.
    #[must_use]
    pub fn contains(&self, share: Share) -> bool {
        match self {
            Self::All => true,
            Self::Some(shares) => shares.contains(&share),
        }
    }
}

/// Which run owns each share. A share that is missing is free.
pub type ShareOwners = BTreeMap<Share, RunNumber>;

/// What a run does about its shares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareMoves {
    /// Free shares that it takes.
    pub take: BTreeSet<Share>,
    /// Shares that it gives back, because they are another run's.
    pub give: BTreeSet<Share>,
}

impl ShareMoves {
    /// What `run` does when these runs share the work. A run that leaves is not among them.
    #[must_use]
    pub fn of_run(run: RunNumber, runs: &BTreeSet<RunNumber>, owners: &ShareOwners) -> Self {
        let mut moves = Self::default();
        for share in Share::all() {
            let is_own = choose_owner(share, runs) == Some(run);
            match owners.get(&share) {
                None if is_own => _ = moves.take.insert(share),
                Some(owner) if *owner == run && !is_own => _ = moves.give.insert(share),
                _ => {}
            }
        }
        moves
    }
}

/// The run that a share belongs to, by rendezvous hashing: when a run comes or goes, only its own
/// shares move.
fn choose_owner(share: Share, runs: &BTreeSet<RunNumber>) -> Option<RunNumber> {
    runs.iter().copied().max_by_key(|run| (weigh(share, *run), *run))
}

/// The weight of a run for a share. It is the same on every node.
fn weigh(share: Share, run: RunNumber) -> u64 {
    let mut key = [share.0; 9];
    key[1..].copy_from_slice(&run.to_be_bytes());
    XxHash3_64::oneshot(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(url: &str) -> Share {
        Share::of_site(&url.parse().expect("an address"))
    }

    /// The owners after these runs, each in turn, have done what they do.
    fn settle(runs: &BTreeSet<RunNumber>, mut owners: ShareOwners) -> ShareOwners {
        for _ in 0..2 {
            for run in runs {
                let moves = ShareMoves::of_run(*run, runs, &owners);
                owners.retain(|share, _| !moves.give.contains(share));
                owners.extend(moves.take.into_iter().map(|share| (share, *run)));
            }
        }
        owners
    }

    fn count(owners: &ShareOwners, run: RunNumber) -> usize {
        owners.values().filter(|owner| **owner == run).count()
    }

    #[test]
    fn hosts_of_one_registrable_domain_are_one_share() {
        let shared = site("https://www.example.co.uk/feed");
        assert_eq!(site("http://news.example.co.uk:8080/"), shared);
        assert_ne!(site("https://other.co.uk/"), shared);
        assert_ne!(site("https://a.github.io/"), site("https://b.github.io/"));
        assert_eq!(site("http://127.0.0.1:80/"), site("http://127.0.0.1:81/x"));
        assert_ne!(site("http://127.0.0.1/"), site("http://127.0.0.2/"));
        assert_eq!(site("http://localhost/"), site("http://localhost:1/"));
        assert_eq!(site("file:///a.xml"), site("file:///b.xml"));
    }

    #[test]
    fn a_share_is_the_same_in_every_build() {
        assert_eq!(site("https://example.org/"), Share(130));
        assert_eq!(Share::of_notifier(&NotifierName("mail".to_owned())), Share(40));
    }

    #[test]
    fn every_share_has_one_owner_and_runs_have_about_as_many() {
        for runs in [vec![7], vec![7, 8], vec![3, 19, 20], vec![1, 2, 3, 4, 5]] {
            let runs: BTreeSet<_> = runs.into_iter().collect();
            let owners = settle(&runs, ShareOwners::new());
            assert_eq!(owners.len(), Share::COUNT);
            let even = Share::COUNT / runs.len();
            for run in &runs {
                let owned = count(&owners, *run);
                assert!(owned * 3 > even * 2 && owned * 2 < even * 3 + 2, "{run}: {owned}");
            }
        }
    }

    #[test]
    fn only_the_shares_of_a_run_that_comes_or_goes_move() {
        let three = BTreeSet::from([1, 2, 3]);
        let before = settle(&three, ShareOwners::new());
        let two = BTreeSet::from([1, 3]);
        let without = before.iter().filter(|(_, owner)| **owner != 2);
        let after = settle(&two, without.map(|(share, owner)| (*share, *owner)).collect());
        assert_eq!(after.len(), Share::COUNT);
        for (share, owner) in &before {
            assert!(*owner == 2 || after[share] == *owner);
        }
        assert_eq!(settle(&three, after), before);
    }

    #[test]
    fn a_run_takes_no_share_of_another_and_gives_its_own_before_another_takes_it() {
        let (alone, both) = (BTreeSet::from([1]), BTreeSet::from([1, 2]));
        let owners = settle(&alone, ShareOwners::new());
        let second = ShareMoves::of_run(2, &both, &owners);
        assert_eq!(second, ShareMoves::default());
        let first = ShareMoves::of_run(1, &both, &owners);
        assert!(first.take.is_empty() && first.give.len() > 80);
        // A run that leaves gives all.
        let leaves = ShareMoves::of_run(1, &BTreeSet::from([2]), &owners);
        assert_eq!(leaves.give.len(), Share::COUNT);
    }
}
