//! `tidings store copy`: the whole store in another place, in the same database or in the other.

use clap::Subcommand;

use crate::cli::count::count_holdings;
use crate::cli::examples;
use crate::cli::exit::Exit;
use crate::cli::output::{self, fail, fail_with_help};
use crate::cli::runtime::{block_on, stop_signal};
use crate::config::StorePlace;
use crate::store::{self, OpenError, StoreCopyError};

#[derive(Debug, Subcommand)]
pub(super) enum StoreAction {
    /// Copy the store to an empty place, while Tidings does not run: from a file to a server, back,
    /// or to another of the same kind. The password of a server is in `PGPASSWORD`.
    #[command(after_help = examples::STORE_COPY)]
    Copy {
        /// The store: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
        from: String,
        /// The place of the copy: a new file, or a database without a store.
        to: String,
    },
}

/// Copies a store: 65 if the place of the copy is not empty, 69 if one of the two cannot be opened
/// or a run uses the store, 74 if the copy cannot be written.
pub(super) fn store(action: StoreAction) -> Exit {
    let StoreAction::Copy { from, to } = action;
    copy(&from, &to).err().unwrap_or(Exit::Ok)
}

fn copy(from: &str, to: &str) -> Result<(), Exit> {
    let (from, to) = (named_store("FROM", from)?, named_store("TO", to)?);
    let holdings = block_on(async {
        tokio::select! {
            copied = store::copy_store(&from, &to) => copied.map_err(|why| exit_for_error(&why, &from)),
            () = stop_signal() => Err(fail("stopped before the copy was whole", Exit::Unavailable)),
        }
    })?;
    output::print_lines([
        format!("{to}: a copy of {from}: {}", count_holdings(&holdings)),
        "name it in the configuration as `store` before the next run".to_owned(),
    ])
}

/// The store of an argument. The password of a server is in `PGPASSWORD`, as for `psql`.
pub(super) fn named_store(name: &str, argument: &str) -> Result<StorePlace, Exit> {
    let place = StorePlace::parse_argument(argument).map_err(|fault| {
        fail_with_help(format!("{name}: {}", fault.what), fault.help, Exit::Usage)
    })?;
    Ok(match std::env::var("PGPASSWORD") {
        Ok(password) => place.with_password(&password),
        Err(_) => place,
    })
}

fn exit_for_error(why: &StoreCopyError, from: &StorePlace) -> Exit {
    match why {
        StoreCopyError::From(OpenError::Locked(holder)) => {
            let why = format!("a running tidings uses the store {from} ({holder})");
            fail_with_help(why, "stop it first", Exit::Unavailable)
        }
        StoreCopyError::NotEmpty(_) => {
            fail_with_help(why, "name a new file, or a new database", Exit::Data)
        }
        StoreCopyError::Unwritable(..) => fail(why, Exit::Output),
        StoreCopyError::From(_) | StoreCopyError::To(_) | StoreCopyError::Store(_) => {
            fail(why, Exit::Unavailable)
        }
    }
}
