//! Borrows hosts: before a request to a host of another node's share, this node asks that node. A
//! redirect or a link leads there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::http::{FetchError, HostKey};
use crate::shares::{RunNumber, Share};
use crate::store::{HostLoan, LoanAnswer, Store};

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
        let asked = self.store.ask_for_host(self.run, host.0.clone(), share).await;
        let loan = asked.map_err(|why| unanswered(why.to_string()))?;
        let borrowed = BorrowedHost { store: self.store.clone(), loan };
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
