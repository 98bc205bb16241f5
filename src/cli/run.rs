//! `tidings run`: the daemon, or one round of it.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::load::unreadable_rules;
use crate::cli::runtime::block_on;
use crate::cli::{load, logs, output};
use crate::daemon::reload::StartError;
use crate::daemon::{self, Mode, RunEnd, RunError, RunSetup, signals};
use crate::queries::moment::long_date;

/// Runs the daemon until a signal stops it, or with `once` until its work is done.
pub(super) fn run_daemon(config: &Path, once: bool, log: OutputFormat) -> Exit {
    if let Err(exit) = logs::start_log(log) {
        return exit;
    }
    let mode = if once { Mode::Once } else { Mode::Forever };
    let ended = load::read_config_and_print_faults(config).and_then(|read| {
        let (config_path, zone) = (config.to_owned(), read.zone.clone());
        let end = block_on(run_until_signal(RunSetup { config: read, config_path, mode }))?;
        Ok((end, zone))
    });
    match ended {
        Ok((RunEnd { undelivered, next_delivery, refused }, zone))
            if mode == Mode::Once && (undelivered > 0 || refused > 0) =>
        {
            let waiting =
                count(usize::try_from(undelivered).unwrap_or(usize::MAX), "message", "messages");
            let when = next_delivery
                .map(|next| format!(", due at {} or later", long_date(next, &zone)))
                .unwrap_or_default();
            output::print_error_line(format_args!(
                "not delivered: {waiting}{when}; refused in this run: {refused}; the log says why"
            ));
            Exit::Unavailable
        }
        Ok(_) => Exit::Ok,
        Err(exit) => exit,
    }
}

async fn run_until_signal(setup: RunSetup) -> Result<RunEnd, Exit> {
    let (stop, reload) = (CancellationToken::new(), Arc::new(Notify::new()));
    let listener = signals::listen(stop.clone(), Arc::clone(&reload)).map_err(|why| {
        output::fail(format_args!("signal handlers cannot be installed: {why}"), Exit::Unavailable)
    })?;
    tokio::select! {
        ended = daemon::run(setup, reload, stop) => ended.map_err(|why| exit_for_error(&why)),
        () = listener => Err(Exit::Bug),
    }
}

fn exit_for_error(error: &RunError) -> Exit {
    match error {
        RunError::Rules(StartError::Broken(faults)) => {
            load::print_faults(faults);
            Exit::Data
        }
        RunError::Rules(StartError::Unreadable(why)) => unreadable_rules(why, Exit::Config),
        RunError::WriterEnded => output::fail(error, Exit::Bug),
        RunError::Store(why) if why.is_damage() => {
            let help = "its file is damaged: docs/operations.md says how to recover it";
            output::fail_with_help(why, help, Exit::Unavailable)
        }
        other => output::fail(other, Exit::Unavailable),
    }
}
