//! The mail sink: the tests' mail server, with a temper.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::ledger::{Ledger, Told, id_of_mail};
use crate::harness::script::{DESK, To};
use crate::harness::temper::{Deed, PAUSE, deed, turns_away};
use crate::support::smtp::{Act, Letter, Moment, Sink};

/// A running mail server that knows everybody but eve.
pub async fn start(seed: u64, ledger: Ledger) -> Sink {
    let sink = Sink::start().await;
    sink.refuse(DESK[2]);
    let came = AtomicUsize::new(0);
    sink.judge(move |moment| match moment {
        Moment::Greeting => turns_away(seed, came.fetch_add(1, Ordering::Relaxed)).then_some(Act::Say("421 too busy")),
        Moment::Command(_) => None,
        Moment::End(letter) => Some(receive(seed, &ledger, letter)),
    });
    sink
}

fn receive(seed: u64, ledger: &Ledger, letter: &Letter) -> Act {
    let to = To { notifier: "desk".to_owned(), recipient: letter.to.join(",") };
    let told = Told::by_mail(&letter.data);
    let mut done = Deed::Take;
    ledger.keep(&id_of_mail(&letter.data), to.clone(), told.clone(), &letter.data, |before| {
        done = deed(seed, &to, &told, before);
        done.fate()
    });
    match done {
        Deed::Take => Act::Say("250 kept"),
        Deed::TakeSlowly => Act::SayAfter(PAUSE, "250 kept at last"),
        Deed::TakeAndDrop => Act::SayAndHangUp("250 kept"),
        Deed::Stall => Act::HangUpAfter(PAUSE),
        Deed::Reset => Act::Reset,
        Deed::HangUp => Act::HangUp,
        Deed::Busy => Act::Say("451 later"),
        Deed::AskForRest => Act::SayAndHangUp("421 closing"),
        Deed::Refuse | Deed::Gone => Act::Say("550 not wanted"),
    }
}
