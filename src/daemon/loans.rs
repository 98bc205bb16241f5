//! Borrows hosts: before a request to a host of another node's share, this node asks that node. A
//! redirect or a link leads there.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::http::{FetchError, HostKey};
use crate::shares::{RunNumber, Share};
use crate::store::{HostLoan, LoanAnswer, Store, StoreError};

/// How long a node waits for an answer: longer than the takeover of a dead node.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What borrows hosts of other nodes.
#[derive(Debug)]
pub(crate) struct HostBorrower {
    store: Store,
    run: RunNumber,
    borrowed: BorrowedHosts,
}

/// The loans of this node, as far as it knows them.
#[derive(Clone, Debug, Default)]
struct BorrowedHosts(Arc<Mutex<OpenLoans>>);

#[derive(Debug, Default)]
struct OpenLoans {
    /// The number of loans that are being asked for: the store may have them already.
    asking: usize,
    open: HashSet<i64>,
    /// Who waits for the answer to which loan.
    waiting: HashMap<i64, oneshot::Sender<LoanAnswer>>,
}

/// A host that another node has lent. Its node sends no request there until this is dropped.
#[derive(Debug)]
pub(crate) struct BorrowedHost {
    store: Store,
    loan: i64,
    borrowed: BorrowedHosts,
}

impl Drop for BorrowedHost {
    fn drop(&mut self) {
        self.borrowed.lock().open.remove(&self.loan);
        self.store.end_loan(self.loan);
    }
}

impl BorrowedHosts {
    /// A panic cannot leave the loans half changed, so a poisoned lock is used as it is.
    fn lock(&self) -> MutexGuard<'_, OpenLoans> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostBorrower {
    /// Nothing is borrowed yet.
    pub(crate) fn new(store: Store, run: RunNumber) -> Self {
        Self { store, run, borrowed: BorrowedHosts::default() }
    }

    /// Borrows a host for one request. Fails if the host has a pause, or nobody answers.
    pub(crate) async fn borrow(
        &self,
        host: HostKey,
        share: Share,
    ) -> Result<BorrowedHost, FetchError> {
        let unanswered = |why: String| {
            FetchError::Unreachable(format!(
                "the node that polls the site of {} did not permit a request: {why}",
                host.0
            ))
        };
        // The loan ends even if this is given up before its number is known.
        let asking = tokio::spawn(self.ask(host.clone(), share));
        let borrowed = match asking.await {
            Ok(asked) => asked.map_err(|why| unanswered(why.to_string()))?,
            Err(why) => return Err(unanswered(why.to_string())),
        };
        let (tell, answer) = oneshot::channel();
        self.borrowed.lock().waiting.insert(borrowed.loan, tell);
        let answer = tokio::time::timeout(LONGEST_WAIT, answer).await;
        self.borrowed.lock().waiting.remove(&borrowed.loan);
        match answer {
            Ok(Ok(LoanAnswer::Lent)) => Ok(borrowed),
            Ok(Ok(LoanAnswer::Rests(until))) => Err(FetchError::Resting { host, until }),
            _ => Err(unanswered("it did not answer".to_owned())),
        }
    }

    /// Asks for a host. The loan is not answered yet.
    fn ask(
        &self,
        host: HostKey,
        share: Share,
    ) -> impl Future<Output = Result<BorrowedHost, StoreError>> + use<> {
        let (store, run, borrowed) = (self.store.clone(), self.run, self.borrowed.clone());
        borrowed.lock().asking += 1;
        async move {
            let asked = store.ask_for_host(run, host.0, share).await;
            let mut loans = borrowed.lock();
            loans.asking -= 1;
            let loan = asked?;
            loans.open.insert(loan);
            drop(loans);
            Ok(BorrowedHost { store, loan, borrowed })
        }
    }

    /// Passes the answers on to those that wait for them. Ends the loans that nobody here has: the
    /// store was away when they ended, or did not say that it has them.
    pub(super) fn pass_on(&self, loans: &[HostLoan]) {
        let OpenLoans { asking, open, waiting } = &mut *self.borrowed.lock();
        // Whoever waited may have given up.
        waiting.retain(|_, tell| !tell.is_closed());
        for loan in loans.iter().filter(|loan| loan.borrower == self.run) {
            if *asking == 0 && !open.contains(&loan.id) {
                self.store.end_loan(loan.id);
            } else if let Some(answer) = loan.answer
                && let Some(tell) = waiting.remove(&loan.id)
            {
                // The request was given up meanwhile.
                let _ = tell.send(answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::config::StorePlace;
    use crate::store::{Home, RunRole, compare_here};

    /// A node that borrows from itself; `None` if the tests are about files.
    async fn borrower() -> Option<(HostBorrower, Home)> {
        let home = Home::new().await;
        let StorePlace::Server(_) = home.place() else { return None };
        let opened = Store::open(&home.place(), RunRole::Joint, compare_here()).await;
        let (store, writer) = opened.unwrap();
        tokio::spawn(writer);
        let run = store.joint_run().unwrap();
        Some((HostBorrower::new(store, run), home))
    }

    fn host(name: &str) -> HostKey {
        HostKey(format!("{name}:443"))
    }

    async fn wait_until_open_are(store: &Store, loans: &[i64]) {
        let open = async {
            while store.read_loans().await.unwrap().iter().any(|loan| !loans.contains(&loan.id)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LONGEST_WAIT, open).await.unwrap();
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_while_it_asks_leaves_no_loan() {
        let Some((borrower, _home)) = borrower().await else { return };
        assert!(borrower.borrow(host("example.org"), Share(7)).now_or_never().is_none());
        let other = borrower.ask(host("example.com"), Share(8)).await.unwrap();
        wait_until_open_are(&borrower.store, &[other.loan]).await;
    }

    #[tokio::test]
    async fn a_loan_that_no_request_has_is_ended_unless_it_is_being_asked_for() {
        let Some((borrower, _home)) = borrower().await else { return };
        // The server was away when it should have said that it has the loan, or when it ended.
        let HostKey(lost) = host("example.org");
        borrower.store.ask_for_host(borrower.run, lost, Share(7)).await.unwrap();
        let kept = borrower.ask(host("example.com"), Share(8)).await.unwrap();
        let asked = borrower.ask(host("example.net"), Share(9));
        borrower.pass_on(&borrower.store.read_loans().await.unwrap());
        let asked = asked.await.unwrap();
        assert_eq!(borrower.store.read_loans().await.unwrap().len(), 3);
        borrower.pass_on(&borrower.store.read_loans().await.unwrap());
        wait_until_open_are(&borrower.store, &[kept.loan, asked.loan]).await;
        assert_eq!(borrower.store.read_loans().await.unwrap().len(), 2);
    }
}
