//! `tidings notify NAME`: a test message through one notifier.

use std::path::Path;

use uuid::Uuid;

use crate::alerts::{Content, Notification, Receiver, draft};
use crate::cli::exit::Exit;
use crate::cli::names::unknown_name;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::{Config, Notifier};
use crate::notify::{self, Outcome, SendContext};
use tidings_rules::story::NotifierName;

/// Sends a test message to every receiver of the notifier `name`.
pub(super) fn send_test_messages(config: &Path, name: &str) -> Exit {
    match load::read_config_and_print_faults(config)
        .and_then(|config| block_on(send_to_receivers(config, name)))
    {
        Ok(()) => Exit::Ok,
        Err(exit) => exit,
    }
}

async fn send_to_receivers(config: Config, name: &str) -> Result<(), Exit> {
    let name = NotifierName(name.to_owned());
    let Some(notifier) = config.notifiers.get(&name) else {
        let names: Vec<_> = config.notifiers.keys().map(|name| name.0.as_str()).collect();
        return Err(unknown_name("notifier", &name.0, names));
    };
    let send_context =
        SendContext::new(config.network.clone(), config.hosts.clone(), config.zone.clone())
            .map_err(|why| output::fail(why, Exit::Unavailable))?;
    let mut all = Ok(());
    if let Notifier::Console(format) = notifier {
        let text = notify::render_for_console(*format, &test_notification(), &config.zone)
            .map_err(|why| output::fail(why, Exit::Bug))?;
        return output::print(&text);
    }
    for receiver in draft::receivers(&name, notifier) {
        match send_test(&config, &send_context, notifier, &receiver).await {
            Outcome::Delivered(reply) => {
                output::print_error_line(format_args!("{receiver}: delivered ({reply})"));
            }
            Outcome::Retry(retry) => {
                all = report_failure(&receiver, &format!("not delivered: {}", retry.why));
            }
            Outcome::Refused(why) | Outcome::TooLarge(why) | Outcome::Gone(why) => {
                all = report_failure(&receiver, &format!("refused: {why}"));
            }
        }
    }
    send_context.close_all_connections().await;
    all
}

fn test_notification() -> Notification {
    let written = now();
    Notification {
        id: format!("test-{}", Uuid::new_v4()),
        created: written,
        sent: written,
        desk: None,
        content: Content::Test,
    }
}

async fn send_test(
    config: &Config,
    send_context: &SendContext,
    notifier: &Notifier,
    receiver: &Receiver,
) -> Outcome {
    let notification = test_notification();
    match notify::render(notifier, receiver, &notification, &config.zone) {
        Ok(frozen) => {
            notify::send(notifier, send_context, receiver, &notification.id, &frozen, now()).await
        }
        Err(why) => Outcome::Refused(why),
    }
}

fn report_failure(receiver: &Receiver, what: &str) -> Result<(), Exit> {
    output::print_error_line(format_args!("{receiver}: {what}"));
    Err(Exit::Unavailable)
}
