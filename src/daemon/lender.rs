//! Lends hosts of this node's shares to other nodes. While a host is lent, this node holds a permit
//! for it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::clock::now;
use crate::daemon::hosts::Permit;
use crate::daemon::shares::ShareUse;
use crate::daemon::story_parts::StoryParts;
use crate::http::{FetchError, HostKey};
use crate::shares::RunNumber;
use crate::store::{HostLoan, LoanAnswer};

/// What lends hosts of this node's shares.
#[derive(Debug)]
pub(super) struct HostLender {
    parts: Arc<StoryParts>,
    run: RunNumber,
    /// The loans that are answered or will be, each with what says that it has ended.
    lent: HashMap<i64, CancellationToken>,
    /// Each returns its loan if the answer could not be recorded.
    tasks: JoinSet<Option<i64>>,
}

impl HostLender {
    /// Nothing is lent yet.
    pub(super) fn new(parts: Arc<StoryParts>, run: RunNumber) -> Self {
        Self { parts, run, lent: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Passes on what was answered to this node, ends what the others have ended, and lends hosts
    /// of this node's shares that they ask for. Returns whether a loan of this node has ended.
    pub(super) fn take_in(&mut self, loans: &[HostLoan]) -> bool {
        if let Some(borrower) = &self.parts.fetcher.borrower {
            borrower.pass_on(loans);
        }
        while let Some(lent) = self.tasks.try_join_next() {
            if let Ok(Some(unanswered)) = lent {
                self.lent.remove(&unanswered);
            }
        }
        let open: HashSet<i64> = loans.iter().map(|loan| loan.id).collect();
        let before = self.lent.len();
        self.lent.retain(|loan, end| {
            let is_open = open.contains(loan);
            if !is_open {
                end.cancel();
            }
            is_open
        });
        let has_ended = self.lent.len() < before;
        for loan in loans.iter().filter(|loan| loan.answer.is_none()) {
            if !self.lent.contains_key(&loan.id)
                && let Some(share) = self.parts.shares.join_to_lend(loan.share)
            {
                self.lend(loan.clone(), share, None);
            }
        }
        has_ended
    }

    /// The loans of these shares that another node answered, with permits for them: their requests
    /// may be under way. It waits for the permits.
    pub(super) async fn permit_loans(
        &self,
        loans: Vec<HostLoan>,
    ) -> Vec<(HostLoan, Option<Permit>)> {
        let mut permitted = Vec::new();
        for loan in loans.into_iter().filter(|loan| !self.lent.contains_key(&loan.id)) {
            let permit = self.parts.fetcher.hosts.admit(HostKey(loan.host.clone()));
            permitted.push((loan, permit.await.ok()));
        }
        permitted
    }

    /// Lends a host, until the loan has ended.
    pub(super) fn lend(&mut self, loan: HostLoan, share: ShareUse, permit: Option<Permit>) {
        let (parts, run, ended) = (Arc::clone(&self.parts), self.run, CancellationToken::new());
        self.lent.insert(loan.id, ended.clone());
        self.tasks.spawn(async move {
            let lending = share.hold_during(lend_host(&parts, run, loan, permit, &ended));
            lending.await
        });
    }
}

/// Lends a host when it has a permit, until the loan has `ended`. Returns the loan if the answer
/// could not be recorded.
async fn lend_host(
    parts: &StoryParts,
    run: RunNumber,
    loan: HostLoan,
    permit: Option<Permit>,
    ended: &CancellationToken,
) -> Option<i64> {
    let admit = async {
        match permit {
            Some(permit) => Ok(permit),
            None => parts.fetcher.hosts.admit(HostKey(loan.host.clone())).await,
        }
    };
    let permit = ended.run_until_cancelled(admit).await?;
    let answer = match &permit {
        Ok(_) => LoanAnswer::Lent,
        Err(FetchError::Resting { until, .. }) => LoanAnswer::Rests(*until),
        Err(_) => LoanAnswer::Rests(now()),
    };
    if let Err(why) = parts.store.answer_loan(loan.id, run, answer).await {
        if why.is_news() {
            error!(event = "store_failed", "a loan of {} cannot be answered: {why}", loan.host);
        }
        return Some(loan.id);
    }
    ended.cancelled().await;
    drop(permit);
    None
}
