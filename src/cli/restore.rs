//! `tidings restore`: a copy of the store in the place of the store.

use std::path::Path;

use crate::cli::backup::store_file;
use crate::cli::count::count_holdings;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::output::{self, fail, fail_with_help};
use crate::cli::runtime::block_on;
use crate::config::Config;
use crate::queries::moment::long_date;
use crate::store::{self, OpenError, RestoreError, Restored};

/// Puts the copy `file` in the place of the store: 65 if it is no copy, 69 if it cannot be read or
/// a run uses the store, 74 if the store cannot be written.
pub(super) fn restore_store(file: &Path, config: &Path) -> Exit {
    let done = load::read_config_and_print_faults(config).and_then(|config| {
        let store = store_file(&config)?;
        let restored = block_on(async {
            store::restore(file, store).await.map_err(|why| exit_for_error(&why))
        })?;
        output::print_lines(report_lines(file, &restored, &config))
    });
    done.err().unwrap_or(Exit::Ok)
}

fn report_lines(file: &Path, restored: &Restored, config: &Config) -> Vec<String> {
    let Restored { made_at, holdings, replaced } = restored;
    let made =
        made_at.map_or_else(String::new, |at| format!(", made on {}", long_date(at, &config.zone)));
    let mut lines = vec![format!(
        "{}: restored from {}{made}: {}",
        config.store,
        file.display(),
        count_holdings(holdings),
    )];
    lines
        .extend(replaced.as_ref().map(|place| format!("the store before it: {}", place.display())));
    lines
}

fn exit_for_error(why: &RestoreError) -> Exit {
    match why {
        RestoreError::Open(OpenError::Locked(holder)) => {
            let why = format!("a running tidings uses the store ({holder})");
            fail_with_help(why, "stop it first", Exit::Unavailable)
        }
        RestoreError::Open(_) | RestoreError::Unreadable(..) => fail(why, Exit::Unavailable),
        RestoreError::NoCopy(..) => {
            fail_with_help(why, "`tidings backup FILE` makes a copy", Exit::Data)
        }
        RestoreError::Unwritable(..) => fail(why, Exit::Output),
    }
}
