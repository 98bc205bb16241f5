//! `tidings deliveries`: lists messages that are not delivered, and sends dead-lettered ones again
//! or drops them.

mod table;

use std::path::Path;

use clap::{Subcommand, ValueEnum};

use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::cli::arguments::ConfigArgument;
use crate::cli::columns::table_width;
use crate::cli::count::count;
use crate::cli::examples;
use crate::cli::exit::Exit;
use crate::cli::format::ListFormat;
use crate::cli::names::unknown_name;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::Config;
use crate::lifecycle::message::MessageStatus;
use crate::queries::json::delivery_json;
use crate::queries::names;
use crate::store::{self, DeadSelection, Delivery};
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
    format: ListFormat,
    #[command(flatten)]
    config: ConfigArgument,
}

#[derive(Debug, Subcommand)]
enum DeliveriesAction {
    /// Send dead-lettered messages again. A running Tidings sends them within seconds.
    #[command(after_help = examples::DELIVERIES_RETRY)]
    Retry {
        #[command(flatten)]
        which: SelectionArguments,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// Drop dead-lettered messages: they are listed no more and never sent. `alerts show` still
    /// shows them.
    #[command(after_help = examples::DELIVERIES_DROP)]
    Drop {
        #[command(flatten)]
        which: SelectionArguments,
        #[command(flatten)]
        config: ConfigArgument,
    },
}

/// Which dead-lettered messages are meant.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct SelectionArguments {
    /// The numbers that `tidings deliveries` shows.
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
    /// All dead-lettered messages of this notifier.
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// All dead-lettered messages.
    #[arg(long)]
    all_dead: bool,
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

/// Lists messages that are not delivered, sends them again, or drops them.
pub(super) fn deliveries(arguments: &DeliveriesArguments) -> Exit {
    let done = match &arguments.action {
        None => list_deliveries(arguments),
        Some(DeliveriesAction::Retry { which, config }) => retry_messages(&config.path, which),
        Some(DeliveriesAction::Drop { which, config }) => drop_messages(&config.path, which),
    };
    done.err().unwrap_or(Exit::Ok)
}

fn list_deliveries(arguments: &DeliveriesArguments) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(&arguments.config.path)?;
    let (mut deliveries, away) = undelivered(&config)?;
    if let Some(name) = &arguments.notifier {
        check_notifier(name, &config, &deliveries)?;
    }
    deliveries.retain(|delivery| passes_filters(arguments, delivery));
    match arguments.format {
        ListFormat::Json => output::print_json(deliveries.iter().map(delivery_json)),
        ListFormat::Csv => table::print_deliveries_csv(&deliveries),
        ListFormat::Text => {
            let is_selected =
                |name: &NotifierName| arguments.notifier.as_ref().is_none_or(|one| *one == name.0);
            let away: Vec<&(Receiver, NotifierHealth)> =
                away.iter().filter(|(receiver, _)| is_selected(&receiver.notifier)).collect();
            output::print(&table::deliveries_table(&deliveries, &away, &config.zone, table_width()))
        }
    }
}

/// The messages that are not delivered, and the receivers that fail or have a pause.
type Undelivered = (Vec<Delivery>, Vec<(Receiver, NotifierHealth)>);

fn undelivered(config: &Config) -> Result<Undelivered, Exit> {
    block_on(async { store::list_undelivered(&config.store).await.map_err(output::unavailable) })
}

/// Fails if neither the configuration nor a message has this notifier.
fn check_notifier(name: &str, config: &Config, deliveries: &[Delivery]) -> Result<(), Exit> {
    let names = deliveries.iter().map(|delivery| &delivery.receiver.notifier);
    let known: Vec<&str> =
        config.notifiers.keys().chain(names).map(|name| name.0.as_str()).collect();
    if known.contains(&name) { Ok(()) } else { Err(unknown_name("notifier", name, known)) }
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

fn retry_messages(config: &Path, which: &SelectionArguments) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let which = selection(which, &config)?;
    let receivers = names::receivers(&config);
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
    check_others(&retried.others)
}

fn drop_messages(config: &Path, which: &SelectionArguments) -> Result<(), Exit> {
    let config = load::read_config_and_print_faults(config)?;
    let which = selection(which, &config)?;
    let done = block_on(async {
        store::drop_messages(&config.store, which).await.map_err(output::unavailable)
    })?;
    if !done.dropped.is_empty() || done.others.is_empty() {
        let dropped = count(done.dropped.len(), "message", "messages");
        output::print_line(format_args!("{dropped} dropped"))?;
    }
    check_others(&done.others)
}

/// The messages that are meant. Fails if there is no such notifier.
fn selection(which: &SelectionArguments, config: &Config) -> Result<DeadSelection, Exit> {
    if which.all_dead {
        return Ok(DeadSelection::All);
    }
    let Some(name) = &which.notifier else {
        return Ok(DeadSelection::These(which.ids.iter().copied().collect()));
    };
    check_notifier(name, config, &undelivered(config)?.0)?;
    Ok(DeadSelection::OfNotifier(NotifierName(name.clone())))
}

/// Fails if some numbers are those of no dead-lettered message.
fn check_others(others: &[i64]) -> Result<(), Exit> {
    if others.is_empty() {
        return Ok(());
    }
    let numbers: Vec<_> = others.iter().map(ToString::to_string).collect();
    let number = if numbers.len() == 1 { "the number" } else { "one of the numbers" };
    Err(output::fail_with_help(
        format_args!("no dead-lettered message has {number} {}", numbers.join(", ")),
        "`tidings deliveries --status dead` lists the dead-lettered messages",
        Exit::Data,
    ))
}
