//! Loans of hosts, for a store on a server. A node that must send a request to a host of another
//! node's share asks that node before.

use jiff::Timestamp;

use super::column::{from_millis, to_millis};
use super::{Store, StoreError};
use crate::shares::{RunNumber, Share};
use crate::store::db;

/// A request of a run to a host of another run's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLoan {
    /// Its row.
    pub id: i64,
    /// The host, by name and port.
    pub host: String,
    /// The share of its site.
    pub share: Share,
    /// The run that asks.
    pub borrower: RunNumber,
    /// The answer; `None`: the owner of the share has not answered, or has ended since.
    pub answer: Option<LoanAnswer>,
}

/// What the owner of a share answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoanAnswer {
    /// The request may be sent.
    Lent,
    /// The host has a pause until then.
    Rests(Timestamp),
}

impl Store {
    /// All loans, oldest first. None for a file.
    pub async fn read_loans(&self) -> Result<Vec<HostLoan>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let Some(server) = reader.server_mut() else { return Ok(Vec::new()) };
        let sql = "SELECT id, host, share, borrower, lender IS NOT NULL, rests_until FROM host_loan ORDER BY id";
        let rows: Vec<LoanRow> = sqlx::query_as(sql).fetch_all(server).await?;
        Ok(rows.into_iter().map(loan_from_row).collect::<Result<_, _>>()?)
    }

    /// Asks the owner of `share` for a host. Returns the row of the loan.
    pub async fn ask_for_host(
        &self,
        borrower: RunNumber,
        host: String,
        share: Share,
    ) -> Result<i64, StoreError> {
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    db::query_scalar(
                        "INSERT INTO host_loan (host, share, borrower) VALUES ($1, $2, $3) RETURNING id",
                    )
                    .bind(host)
                    .bind(i64::from(share.0))
                    .bind(borrower)
                    .fetch_one(conn)
                    .await
                })
            })
            .await
    }

    /// Answers a loan. Nothing happens if it has ended.
    pub async fn answer_loan(
        &self,
        loan: i64,
        lender: RunNumber,
        answer: LoanAnswer,
    ) -> Result<(), StoreError> {
        let rests_until = match answer {
            LoanAnswer::Lent => None,
            LoanAnswer::Rests(until) => Some(to_millis(until)),
        };
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    db::query("UPDATE host_loan SET lender = $2, rests_until = $3 WHERE id = $1")
                        .bind(loan)
                        .bind(lender)
                        .bind(rests_until)
                        .execute(conn)
                        .await
                        .map(drop)
                })
            })
            .await
    }

    /// Ends a loan. The caller does not wait for it: the end of the run ends it, too.
    pub fn end_loan(&self, loan: i64) {
        drop(self.writer.write(move |conn| {
            Box::pin(async move {
                let end = db::query("DELETE FROM host_loan WHERE id = $1").bind(loan);
                end.execute(conn).await.map(drop)
            })
        }));
    }
}

type LoanRow = (i64, String, i64, RunNumber, bool, Option<i64>);

fn loan_from_row(
    (id, host, share, borrower, is_answered, rests_until): LoanRow,
) -> Result<HostLoan, sqlx::Error> {
    let share = u8::try_from(share).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let rests = rests_until.map(from_millis).transpose()?.map(LoanAnswer::Rests);
    let answer = is_answered.then_some(rests.unwrap_or(LoanAnswer::Lent));
    Ok(HostLoan { id, host, share: Share(share), borrower, answer })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::RunRole;
    use super::super::fixture::{Home, at_second, compare_here};
    use super::*;
    use crate::config::StorePlace;

    async fn join(home: &Home) -> (Store, RunNumber) {
        let opened = Store::open(&home.place(), RunRole::Joint, compare_here()).await;
        let (store, writer) = opened.unwrap();
        tokio::spawn(writer);
        let run = store.joint_run().unwrap();
        (store, run)
    }

    #[tokio::test]
    async fn a_loan_lasts_until_its_end_and_is_asked_for_again_when_its_lender_has_ended() {
        let home = Home::new().await;
        let StorePlace::Server(_) = home.place() else { return };
        let ((first, one), (second, two)) = (join(&home).await, join(&home).await);
        let (host, share) = ("example.org:443".to_owned(), Share(7));
        let loan = first.ask_for_host(one, host.clone(), share).await.unwrap();
        let asked = HostLoan { id: loan, host, share, borrower: one, answer: None };
        assert_eq!(second.read_loans().await.unwrap(), std::slice::from_ref(&asked));
        for answer in [LoanAnswer::Rests(at_second(9)), LoanAnswer::Lent] {
            second.answer_loan(loan, two, answer).await.unwrap();
            let answered = HostLoan { answer: Some(answer), ..asked.clone() };
            assert_eq!(first.read_loans().await.unwrap(), [answered]);
        }
        home.end_lease(two).await;
        first.move_shares(one, BTreeSet::new(), at_second(0)).await.unwrap();
        assert_eq!(first.read_loans().await.unwrap(), [asked]);
        first.end_loan(loan);
        first.answer_loan(loan, one, LoanAnswer::Lent).await.unwrap();
        assert_eq!(first.read_loans().await.unwrap(), []);
    }
}
