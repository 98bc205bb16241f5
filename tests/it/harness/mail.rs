//! The mail sink: the tests' mail server with scripted reactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::ledger::{Ledger, MessageContent, SinkOutcome, id_of_mail};
use crate::harness::reactions::{PAUSE, SinkReaction, choose_reaction, turns_away};
use crate::harness::script::{DESK, To};
use crate::support::smtp::{Moment, ReceivedMail, ServerAction, Sink};

/// The most connections that the server accepts at once.
const MOST: usize = 3;

/// A running mail server that accepts mail for every recipient except eve.
pub struct MailSink {
    sink: Sink,
    /// Connections that the server ended or refused.
    ended: Arc<AtomicUsize>,
}

impl MailSink {
    /// Listens on a free port.
    pub async fn start(seed: u64, ledger: Ledger) -> Self {
        let (sink, ended) = (Sink::start().await, Arc::new(AtomicUsize::new(0)));
        sink.refuse(DESK[2]);
        let (came, counted) = (AtomicUsize::new(0), Arc::clone(&ended));
        sink.judge(move |moment| {
            let action = answer(seed, &ledger, &came, &moment);
            let ends = matches!(
                action,
                Some(
                    ServerAction::SayAndHangUp(_)
                        | ServerAction::HangUpAfter(_)
                        | ServerAction::HangUp
                        | ServerAction::Reset
                )
            );
            counted.fetch_add(usize::from(ends), Ordering::Relaxed);
            action
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

fn answer(
    seed: u64,
    ledger: &Ledger,
    came: &AtomicUsize,
    moment: &Moment<'_>,
) -> Option<ServerAction> {
    match *moment {
        Moment::Greeting { open } if open > MOST => {
            Some(ServerAction::SayAndHangUp("421 4.7.0 too many connections"))
        }
        Moment::Greeting { .. } => turns_away(seed, came.fetch_add(1, Ordering::Relaxed))
            .then_some(ServerAction::SayAndHangUp("421 too busy")),
        Moment::Command(_) => None,
        Moment::End(mail) => Some(receive(seed, ledger, mail)),
    }
}

fn receive(seed: u64, ledger: &Ledger, mail: &ReceivedMail) -> ServerAction {
    let to = To { notifier: "desk".to_owned(), recipient: mail.to.join(",") };
    let content = MessageContent::by_mail(&mail.data);
    let mut reaction = SinkReaction::Take;
    ledger.keep(&id_of_mail(&mail.data), to.clone(), content.clone(), &mail.data, |before| {
        reaction = choose_reaction(seed, &to, &content, before);
        // SMTP has no field for the length of a pause, so the reply says it in words.
        if reaction == SinkReaction::AskForRest { SinkOutcome::PutOff } else { reaction.outcome() }
    });
    match reaction {
        SinkReaction::Take => ServerAction::Say("250 kept"),
        SinkReaction::TakeSlowly => ServerAction::SayAfter(4 * PAUSE, "250 kept at last"),
        SinkReaction::TakeInOtherWords => ServerAction::Bytes(b"250 \xc4\xe3\xba\xc3\r\n"),
        SinkReaction::TakeAndDrop => ServerAction::SayAndHangUp("250 kept"),
        SinkReaction::Stall => ServerAction::HangUpAfter(PAUSE),
        SinkReaction::Reset => ServerAction::Reset,
        SinkReaction::HangUp => ServerAction::HangUp,
        SinkReaction::Busy => ServerAction::Say("451 later"),
        SinkReaction::AskForRest | SinkReaction::Limit => ServerAction::SayAndHangUp("421 closing"),
        SinkReaction::Redeploy => ServerAction::Say("550 5.7.1 client host rejected"),
        SinkReaction::Refuse | SinkReaction::Gone => ServerAction::Say("550 not wanted"),
    }
}
