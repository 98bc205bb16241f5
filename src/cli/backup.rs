//! `tidings backup`: a whole copy of the store, beside a running Tidings.

use std::path::Path;

use indicatif::HumanBytes;

use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::output::{self, fail, fail_with_help};
use crate::cli::runtime::{block_on, stop_signal};
use crate::clock::now;
use crate::config::Config;
use crate::store::{self, Backup, BackupError};

/// Copies the store to `file`: 65 if the name is taken, 69 if the store cannot be read or is
/// damaged, 74 if the copy cannot be written.
pub(super) fn make_backup(file: &Path, config: &Path) -> Exit {
    let made = load::read_config_and_print_faults(config).and_then(|config| {
        let store = store_file(&config)?;
        let Backup { size, unrecorded } = block_on(async {
            tokio::select! {
                made = store::back_up(store, file, now()) => made.map_err(|why| exit_for_error(&why)),
                () = stop_signal() => Err(fail("stopped before the copy was whole", Exit::Unavailable)),
            }
        })?;
        if let Some(why) = unrecorded {
            let why = format!("note: the copy is whole, but the store did not record it: {why}");
            output::print_error_line(why);
        }
        output::print_line(format_args!("{}: a copy of {}, {}", file.display(), store.display(), HumanBytes(size)))
    });
    made.err().unwrap_or(Exit::Ok)
}

/// The file of the store. A server has its own means for copies.
pub(super) fn store_file(config: &Config) -> Result<&Path, Exit> {
    config.store.file().ok_or_else(|| {
        let why = format!("the store {} is a database of a server, not a file", config.store);
        let help = "copy it with `pg_dump`, and put a copy back with `pg_restore`: docs/operations.md says how";
        fail_with_help(why, help, Exit::Config)
    })
}

fn exit_for_error(why: &BackupError) -> Exit {
    match why {
        BackupError::Open(_) => fail(why, Exit::Unavailable),
        BackupError::Exists(_) | BackupError::OwnFile(_) => {
            fail_with_help(why, "name a new file, for example with the date", Exit::Data)
        }
        BackupError::Unwritable(..) => fail(why, Exit::Output),
        BackupError::Damaged(_) => {
            let help = "docs/operations.md says how to recover it";
            fail_with_help(why, help, Exit::Unavailable)
        }
    }
}
