//! `tidings deliveries`: lists messages that are not delivered, and sends dead-lettered ones again.

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
use crate::store::{self, Delivery, DeliverySubject, RetrySelection};
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
    /// Only messages of this notifier.
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    #[command(flatten)]
    config: ConfigArgument,
}

#[derive(Debug, Subcommand)]
enum DeliveriesAction {
    /// Send dead-lettered messages again. A running Tidings sends them within seconds.
    Retry {
        /// The numbers that `tidings deliveries` shows.
        #[arg(
            value_name = "ID",
            required_unless_present = "all_dead",
            conflicts_with = "all_dead"
        )]
        ids: Vec<i64>,
        /// Send all dead-lettered messages again.
        #[arg(long)]
        all_dead: bool,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShownStatus {
    /// Dead-lettered: refused, or all attempts failed.
    Dead,
    /// Waiting for their next attempt, or in flight.
    Pending,
    /// Held because their receiver left the configuration. They are sent when it is back.
    Held,
}

/// Lists messages that are not delivered, or sends them again.
pub(super) fn deliveries(arguments: &DeliveriesArguments) -> Exit {
    let done = match &arguments.action {
        None => list_deliveries(arguments),
        Some(DeliveriesAction::Retry { ids, all_dead, config }) => {
            let which = if *all_dead {
                RetrySelection::AllDead
            } else {
                RetrySelection::These(ids.iter().copied().collect())
            };
            retry_messages(&config.path, which)
        }
    };
    done.unwrap_or_else(|exit| exit)
}

fn list_deliveries(arguments: &DeliveriesArguments) -> Result<Exit, Exit> {
    let config = load::read_config_and_print_faults(&arguments.config.path)?;
    let found = block_on(async {
        store::list_undelivered(&config.store).await.map_err(output::unavailable)
    });
    let (mut deliveries, away) = found?;
    if let Some(name) = &arguments.notifier {
        let names = deliveries.iter().map(|delivery| &delivery.receiver.notifier);
        let known: Vec<&str> =
            config.notifiers.keys().chain(names).map(|name| name.0.as_str()).collect();
        if !known.contains(&name.as_str()) {
            return Err(unknown_name("notifier", name, known));
        }
    }
    deliveries.retain(|delivery| passes_filters(arguments, delivery));
    match arguments.format {
        OutputFormat::Json => output::print_json(deliveries.iter().map(to_json))?,
        OutputFormat::Text => {
            let is_selected =
                |name: &NotifierName| arguments.notifier.as_ref().is_none_or(|one| *one == name.0);
            let away: Vec<&(Receiver, NotifierHealth)> =
                away.iter().filter(|(receiver, _)| is_selected(&receiver.notifier)).collect();
            output::print(&table::deliveries_table(&deliveries, &away, &config.zone))?;
        }
    }
    Ok(Exit::Ok)
}

fn passes_filters(arguments: &DeliveriesArguments, delivery: &Delivery) -> bool {
    let has_status = match arguments.status {
        None => true,
        Some(ShownStatus::Dead) => delivery.status == MessageStatus::Dead,
        Some(ShownStatus::Pending) => delivery.status == MessageStatus::Pending,
        Some(ShownStatus::Held) => delivery.status == MessageStatus::Held,
    };
    has_status
        && arguments.notifier.as_ref().is_none_or(|name| *name == delivery.receiver.notifier.0)
}

fn to_json(delivery: &Delivery) -> Value {
    let subject = match &delivery.subject {
        DeliverySubject::Story(title) => json!({ "story": title }),
        DeliverySubject::Digest(alerts) => json!({ "digest": alerts }),
        DeliverySubject::Notice(subject) => json!({ "notice": subject }),
    };
    json!({
        "id": delivery.id, "message": delivery.uid, "status": delivery.status,
        "notifier": delivery.receiver.notifier, "recipient": delivery.receiver.recipient, "about": subject,
        "created": delivery.created, "due": delivery.due, "attempts": delivery.attempts, "tried": delivery.last_attempt,
        "why": delivery.why,
    })
}

fn retry_messages(config: &Path, which: RetrySelection) -> Result<Exit, Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let receivers = daemon::receivers(&config);
    let retried = block_on(async {
        store::retry_messages(&config.store, which, &receivers, now())
            .await
            .map_err(output::unavailable)
    })?;
    if !retried.due.is_empty() || retried.others.is_empty() {
        let due = count(retried.due.len(), "message", "messages");
        output::print_line(format_args!("{due} due now"))?;
    }
    if !retried.held.is_empty() {
        let held = count(retried.held.len(), "message", "messages");
        let why = "no notifier in the configuration has their receiver; they are sent once it is configured again";
        output::print_line(format_args!("{held} held: {why}"))?;
    }
    if retried.others.is_empty() {
        return Ok(Exit::Ok);
    }
    let others: Vec<_> = retried.others.iter().map(ToString::to_string).collect();
    let why = format!("no dead-lettered message has the number {}", others.join(", "));
    Err(output::fail_with_help(
        why,
        "`tidings deliveries --status dead` lists the dead-lettered messages",
        Exit::Data,
    ))
}
