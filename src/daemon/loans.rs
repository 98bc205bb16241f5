//! Borrows hosts: before a request to a host of another node's share, this node asks that node. A
//! redirect or a link leads there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// Who waits for the answer to which loan.
    waiting: Mutex<HashMap<i64, oneshot::Sender<LoanAnswer>>>,
}

/// A host that another node has lent. Its node sends no request there until this is dropped.
#[derive(Debug)]
pub(crate) struct BorrowedHost {
    store: Store,
    loan: i64,
}

impl Drop for BorrowedHost {
    fn drop(&mut self) {
        self.store.end_loan(self.loan);
    }
}

impl HostBorrower {
    /// Nothing is borrowed yet.
    pub(crate) fn new(store: Store, run: RunNumber) -> Self {
        Self { store, run, waiting: Mutex::default() }
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
        let (store, run, asked) = (self.store.clone(), self.run, host.0.clone());
        // The loan ends even if this is given up before its number is known.
        let asking = async move {
            let loan = store.ask_for_host(run, asked, share).await?;
            Ok::<_, StoreError>(BorrowedHost { store, loan })
        };
        let borrowed = match tokio::spawn(asking).await {
            Ok(asked) => asked.map_err(|why| unanswered(why.to_string()))?,
            Err(why) => return Err(unanswered(why.to_string())),
        };
        let loan = borrowed.loan;
        let (tell, answer) = oneshot::channel();
        self.lock().insert(loan, tell);
        let answer = tokio::time::timeout(LONGEST_WAIT, answer).await;
        self.lock().remove(&loan);
        match answer {
            Ok(Ok(LoanAnswer::Lent)) => Ok(borrowed),
            Ok(Ok(LoanAnswer::Rests(until))) => Err(FetchError::Resting { host, until }),
            _ => Err(unanswered("it did not answer".to_owned())),
        }
    }

    /// Passes the answers on to those that wait for them.
    pub(super) fn pass_on(&self, loans: &[HostLoan]) {
        let mut waiting = self.lock();
        // Whoever waited may have given up.
        waiting.retain(|_, tell| !tell.is_closed());
        for loan in loans.iter().filter(|loan| loan.borrower == self.run) {
            let Some(answer) = loan.answer else { continue };
            if let Some(tell) = waiting.remove(&loan.id) {
                // The request was given up meanwhile.
                let _ = tell.send(answer);
            }
        }
    }

    /// A panic cannot leave the map half changed, so a poisoned lock is used as it is.
    fn lock(&self) -> MutexGuard<'_, HashMap<i64, oneshot::Sender<LoanAnswer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::config::StorePlace;
    use crate::store::{Home, RunRole, compare_here};

    #[tokio::test]
    async fn a_request_that_is_given_up_while_it_asks_leaves_no_loan() {
        let home = Home::new().await;
        let StorePlace::Server(_) = home.place() else { return };
        let opened = Store::open(&home.place(), RunRole::Joint, compare_here()).await;
        let (store, writer) = opened.unwrap();
        tokio::spawn(writer);
        let run = store.joint_run().unwrap();
        let borrower = HostBorrower::new(store.clone(), run);
        let host = HostKey("example.org:443".to_owned());
        assert!(borrower.borrow(host, Share(7)).now_or_never().is_none());
        let other = store.ask_for_host(run, "example.com:443".to_owned(), Share(8)).await.unwrap();
        let only_other = async {
            while store.read_loans().await.unwrap().iter().any(|loan| loan.id != other) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LONGEST_WAIT, only_other).await.unwrap();
        drop(home);
    }
}
