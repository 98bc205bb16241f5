//! `tidings deliveries`: what is not delivered and why, and the dead sent again.

mod table;

use std::path::Path;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::cli::arguments::ConfigArgument;
use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::names::unknown_name;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::daemon;
use crate::lifecycle::message::MessageStatus;
use crate::store::{self, Delivery, DeliverySubject, RetrySelection, StoreCommandError};
use tidings_rules::story::NotifierName;

/// What to list, or what to do.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct DeliveriesArguments {
    #[command(subcommand)]
    action: Option<DeliveriesAction>,
    /// Only messages with this status
    #[arg(long, value_enum)]
    status: Option<ShownStatus>,
    /// Only those of this notifier.
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// How they are shown.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    #[command(flatten)]
    config: ConfigArgument,
}

#[derive(Debug, Subcommand)]
enum DeliveriesAction {
    /// Send dead messages again; a running Tidings does so within seconds.
    Retry {
        /// The numbers that `tidings deliveries` shows.
        #[arg(
            value_name = "ID",
            required_unless_present = "all_dead",
            conflicts_with = "all_dead"
        )]
        ids: Vec<i64>,
        /// All that are dead.
        #[arg(long)]
        all_dead: bool,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShownStatus {
    /// Given up: refused, or tried too often.
    Dead,
    /// Waiting for their time, or being sent.
    Pending,
    /// Their receiver left the configuration; they go on when it comes back.
    Held,
}

/// Lists what is not delivered, or sends it again.
pub(super) fn deliveries(arguments: &DeliveriesArguments) -> Exit {
    let done = match &arguments.action {
        None => list(arguments),
        Some(DeliveriesAction::Retry { ids, all_dead, config }) => {
            let which = if *all_dead {
                RetrySelection::AllDead
            } else {
                RetrySelection::These(ids.iter().copied().collect())
            };
            retry(&config.path, which)
        }
    };
    done.unwrap_or_else(|exit| exit)
}

fn list(arguments: &DeliveriesArguments) -> Result<Exit, Exit> {
    let config = load::load_config(&arguments.config.path)?;
    let found = block_on(async {
        store::list_undelivered(&config.store).await.map_err(|why| unavailable(&why))
    });
    let (mut deliveries, away) = found?;
    if let Some(name) = &arguments.notifier {
        let of_past = deliveries.iter().map(|delivery| &delivery.receiver.notifier);
        let known: Vec<&str> =
            config.notifiers.keys().chain(of_past).map(|name| name.0.as_str()).collect();
        if !known.contains(&name.as_str()) {
            return Err(unknown_name("notifier", name, known));
        }
    }
    deliveries.retain(|delivery| is_wanted(arguments, delivery));
    match arguments.format {
        OutputFormat::Json => output::print_json(deliveries.iter().map(to_json))?,
        OutputFormat::Text => {
            let is_meant =
                |name: &NotifierName| arguments.notifier.as_ref().is_none_or(|one| *one == name.0);
            let away: Vec<&(Receiver, NotifierHealth)> =
                away.iter().filter(|(receiver, _)| is_meant(&receiver.notifier)).collect();
            output::print(&table::table(&deliveries, &away, &config.zone))?;
        }
    }
    Ok(Exit::Ok)
}

fn is_wanted(arguments: &DeliveriesArguments, delivery: &Delivery) -> bool {
    let stands_so = match arguments.status {
        None => true,
        Some(ShownStatus::Dead) => delivery.status == MessageStatus::Dead,
        Some(ShownStatus::Pending) => delivery.status == MessageStatus::Pending,
        Some(ShownStatus::Held) => delivery.status == MessageStatus::Held,
    };
    stands_so
        && arguments.notifier.as_ref().is_none_or(|name| *name == delivery.receiver.notifier.0)
}

fn to_json(delivery: &Delivery) -> Value {
    let about = match &delivery.subject {
        DeliverySubject::Story(title) => json!({ "story": title }),
        DeliverySubject::Digest(alerts) => json!({ "digest": alerts }),
        DeliverySubject::Notice(subject) => json!({ "notice": subject }),
    };
    json!({
        "id": delivery.id, "message": delivery.uid, "status": delivery.status,
        "notifier": delivery.receiver.notifier, "recipient": delivery.receiver.recipient, "about": about,
        "created": delivery.created, "due": delivery.due, "attempts": delivery.attempts, "tried": delivery.last_attempt,
        "why": delivery.why,
    })
}

fn retry(config: &Path, which: RetrySelection) -> Result<Exit, Exit> {
    let config = load::load_config(config)?;
    let receivers = daemon::receivers(&config);
    let retried = block_on(async {
        store::retry_messages(&config.store, which, &receivers, now())
            .await
            .map_err(|why| unavailable(&why))
    })?;
    output::print_line(format_args!(
        "{} due now",
        count(retried.due.len(), "message", "messages")
    ))?;
    if !retried.held.is_empty() {
        let held = count(retried.held.len(), "message", "messages");
        let why = "no notifier in the configuration has their receiver; they are sent once it is configured again";
        output::print_line(format_args!("{held} held: {why}"))?;
    }
    if retried.others.is_empty() {
        return Ok(Exit::Ok);
    }
    let others: Vec<_> = retried.others.iter().map(ToString::to_string).collect();
    let why = format!("no dead message has the number {}", others.join(", "));
    Err(output::fail_with_help(
        why,
        "`tidings deliveries --status dead` lists those that have",
        Exit::Data,
    ))
}

fn unavailable(why: &StoreCommandError) -> Exit {
    output::fail(why, Exit::Unavailable)
}
