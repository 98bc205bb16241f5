//! The mail sink: the tests' mail server, with a temper.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::ledger::{Ledger, MessageContent, SinkOutcome, id_of_mail};
use crate::harness::script::{DESK, To};
use crate::harness::temper::{Deed, PAUSE, deed, turns_away};
use crate::support::smtp::{Act, Letter, Moment, Sink};

/// The most connections that the server accepts at once.
const MOST: usize = 3;

/// A running mail server that accepts mail for every recipient except eve.
pub struct Mail {
    sink: Sink,
    /// Connections that the server ended or refused.
    ended: Arc<AtomicUsize>,
}

impl Mail {
    /// Listens on a free port.
    pub async fn start(seed: u64, ledger: Ledger) -> Self {
        let (sink, ended) = (Sink::start().await, Arc::new(AtomicUsize::new(0)));
        sink.refuse(DESK[2]);
        let (came, counted) = (AtomicUsize::new(0), Arc::clone(&ended));
        sink.judge(move |moment| {
            let act = answer(seed, &ledger, &came, &moment);
            let ends = matches!(
                act,
                Some(Act::SayAndHangUp(_) | Act::HangUpAfter(_) | Act::HangUp | Act::Reset)
            );
            counted.fetch_add(usize::from(ends), Ordering::Relaxed);
            act
        });
        Self { sink, ended }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.sink.port()
    }

    /// The number of connections that were opened.
    pub fn connections(&self) -> usize {
        self.sink.connections()
    }

    /// The most connections that a client needs in this number of runs: the server's limit, and one
    /// for each connection that the server ended.
    pub fn connections_needed(&self, runs: usize) -> usize {
        runs * MOST + self.ended.load(Ordering::Relaxed)
    }
}

fn answer(seed: u64, ledger: &Ledger, came: &AtomicUsize, moment: &Moment<'_>) -> Option<Act> {
    match *moment {
        Moment::Greeting { open } if open > MOST => {
            Some(Act::SayAndHangUp("421 4.7.0 too many connections"))
        }
        Moment::Greeting { .. } => turns_away(seed, came.fetch_add(1, Ordering::Relaxed))
            .then_some(Act::SayAndHangUp("421 too busy")),
        Moment::Command(_) => None,
        Moment::End(letter) => Some(receive(seed, ledger, letter)),
    }
}

fn receive(seed: u64, ledger: &Ledger, letter: &Letter) -> Act {
    let to = To { notifier: "desk".to_owned(), recipient: letter.to.join(",") };
    let content = MessageContent::by_mail(&letter.data);
    let mut done = Deed::Take;
    ledger.keep(&id_of_mail(&letter.data), to.clone(), content.clone(), &letter.data, |before| {
        done = deed(seed, &to, &content, before);
        // SMTP has no field for the length of a pause, so the reply says it in words.
        if done == Deed::AskForRest { SinkOutcome::PutOff } else { done.outcome() }
    });
    match done {
        Deed::Take => Act::Say("250 kept"),
        Deed::TakeSlowly => Act::SayAfter(4 * PAUSE, "250 kept at last"),
        Deed::TakeInOtherWords => Act::Bytes(b"250 \xc4\xe3\xba\xc3\r\n"),
        Deed::TakeAndDrop => Act::SayAndHangUp("250 kept"),
        Deed::Stall => Act::HangUpAfter(PAUSE),
        Deed::Reset => Act::Reset,
        Deed::HangUp => Act::HangUp,
        Deed::Busy => Act::Say("451 later"),
        Deed::AskForRest | Deed::Limit => Act::SayAndHangUp("421 closing"),
        Deed::Redeploy => Act::Say("550 5.7.1 client host rejected"),
        Deed::Refuse | Deed::Gone => Act::Say("550 not wanted"),
    }
}
